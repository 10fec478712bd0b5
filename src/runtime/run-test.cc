// Whole apps in real guests: how each ends, and that the process goes on. What an app prints and
// what it asks of the database is covered by the scenarios in test/.
#include "runtime/run.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "sandbox/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;
using End = RunReport::End;

class Running : public WithEngine<> {
 protected:
  RunReport run(std::string_view source, Limits limits = {}) {
    RunOptions options;
    options.limits = limits;
    options.log = [this](LogStream, std::string_view text) { written_ += text; };
    return schemascript::run(*engine_, *watchdog_, pool_, source, std::move(options));
  }

  static Limits withTime(std::chrono::milliseconds time) {
    Limits limits;
    limits.runTimeMax = time;
    return limits;
  }

  // The process goes on: what comes after a guest that was stopped works.
  void expectTheNextOneWorks() {
    written_.clear();
    EXPECT_EQ(run("console.log(6 * 7)").end, End::Answered);
    EXPECT_EQ(written_, "42\n");
  }

  ConnectionPool pool_{DatabaseOptions{}};
  std::string written_;
};

TEST_F(Running, WaitsForTimersAndTopLevelAwait) {
  const RunReport report = run(R"js(
    setTimeout(() => console.log("timer"), 20);
    await new Promise((resolve) => setTimeout(resolve, 1));
    console.log("awaited");
  )js");
  EXPECT_EQ(report.end, End::Answered);
  EXPECT_EQ(written_, "awaited\ntimer\n");
}

TEST_F(Running, TellsWhatNobodyCaught) {
  const RunReport report = run(R"js(
    function broken() { throw new TypeError("outer", { cause: new RangeError("inner") }); }
    broken();
  )js");
  EXPECT_EQ(report.end, End::Threw);
  EXPECT_EQ(report.error.name, "TypeError");
  EXPECT_EQ(report.error.message, "outer");
  EXPECT_NE(report.error.stack.find("broken (schemascript:app:2:"), std::string::npos)
      << report.error.stack;
  ASSERT_EQ(report.error.causes.size(), 1u);
  EXPECT_EQ(report.error.causes[0].message, "inner");
}

TEST_F(Running, TellsOfARejectionThatNobodyHandled) {
  EXPECT_EQ(run("Promise.reject(new Error('lost')); await null;").error.message, "lost");
  EXPECT_EQ(run("const p = Promise.reject(1); p.catch(() => {});").end, End::Answered);
}

TEST_F(Running, TellsOfAnErrorInATimer) {
  const RunReport report = run("setTimeout(() => { throw new Error('late'); }, 1);");
  EXPECT_EQ(report.end, End::Threw);
  EXPECT_EQ(report.error.message, "late");
}

TEST_F(Running, TellsOfAPromiseThatNeverSettles) {
  EXPECT_EQ(run("await new Promise(() => {});").end, End::NeverSettles);
  expectTheNextOneWorks();
}

TEST_F(Running, RefusesBrokenSource) {
  const RunReport report = run("const = 1;");
  EXPECT_EQ(report.end, End::Threw);
  EXPECT_EQ(report.error.name, "SyntaxError");
}

TEST_F(Running, StopsALoopAndSaysWhere) {
  const RunReport report = run("function spin() { while (true) {} }\nspin();", withTime(50ms));
  EXPECT_EQ(report.end, End::TimeExceeded);
  EXPECT_NE(report.error.stack.find("at spin (schemascript:app:1:"), std::string::npos)
      << report.error.stack;
  expectTheNextOneWorks();
}

TEST_F(Running, StopsALoopOfPromises) {
  EXPECT_EQ(run("for (;;) await null;", withTime(50ms)).end, End::TimeExceeded);
  expectTheNextOneWorks();
}

TEST_F(Running, StopsALoopThatCatchesEverything) {
  const RunReport report = run(R"js(
    for (;;) { try { for (;;) {} } catch { console.log("caught"); } finally { continue; } }
  )js",
                               withTime(50ms));
  EXPECT_EQ(report.end, End::TimeExceeded);
  EXPECT_EQ(written_, "");
}

TEST_F(Running, StopsABuiltInFunction) {
  EXPECT_EQ(run("new Array(3e7) + '';", withTime(50ms)).end, End::TimeExceeded);
  expectTheNextOneWorks();
}

TEST_F(Running, StopsARegularExpression) {
  EXPECT_EQ(run("/^(a+)+$/.test('a'.repeat(40) + 'b');", withTime(50ms)).end, End::TimeExceeded);
  expectTheNextOneWorks();
}

TEST_F(Running, StopsWhileItWaitsForATimer) {
  EXPECT_EQ(run("setTimeout(() => {}, 60_000);", withTime(20ms)).end, End::TimeExceeded);
}

TEST_F(Running, StopsAStatementThatDoesNotEnd) {
  const RunReport report = run(R"js(
    function ask() {
      __host_sqlite_call(JSON.stringify({ method: "all", sql: `with recursive n(i) as
        (select 1 union all select i + 1 from n) select count(*) from n` }));
    }
    ask();
  )js",
                               withTime(50ms));
  EXPECT_EQ(report.end, End::TimeExceeded);
  EXPECT_NE(report.error.stack.find("at ask (schemascript:app:3:"), std::string::npos)
      << report.error.stack;
  expectTheNextOneWorks();
}

TEST_F(Running, GivesAnErrorForAMemoryBomb) {
  const RunReport report = run("const all = []; for (;;) all.push('x'.repeat(1e5) + all.length);");
  EXPECT_EQ(report.end, End::MemoryExceeded);
  expectTheNextOneWorks();
}

TEST_F(Running, LetsAGuestCatchThatMemoryRanOut) {
  const RunReport report = run(R"js(
    try { const all = []; for (;;) all.push(new Uint8Array(1e6)); }
    catch (error) { console.log(error.message); }
  )js");
  EXPECT_EQ(report.end, End::Answered);
  EXPECT_EQ(written_, "out of memory\n");
}

TEST_F(Running, GivesAnErrorForEndlessRecursion) {
  for (const std::string_view source :
       {"function f() { return f() + 1; } f();",
        "const o = { toString() { return `${o}`; } }; String(o);",
        "const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.x;",
        "let a = []; a.length = 1; a[0] = a; const s = { toJSON() { return JSON.stringify(s); } }; "
        "JSON.stringify(s);",
        "class A { get x() { return this.x; } } new A().x;"}) {
    const RunReport report = run(source);
    EXPECT_EQ(report.end, End::Threw) << source;
    EXPECT_EQ(report.error.message, "stack overflow") << source;
  }
  expectTheNextOneWorks();
}

TEST_F(Running, HasTheStackThatItIsGiven) {
  const std::string_view source =
      "let depth = 0; function f() { ++depth; f(); } try { f(); } catch {} console.log(depth);";
  Limits half;
  half.stackBytesMax /= 2;
  run(source, half);
  const int lower = std::stoi(written_);
  written_.clear();
  run(source);
  EXPECT_GT(std::stoi(written_), lower * 3 / 2);
}

TEST_F(Running, SurvivesSourceThatIsNestedTooDeep) {
  const std::string deep = std::string(3'000'000, '[');
  EXPECT_NE(run(deep).end, End::Answered);
  EXPECT_NE(run("new RegExp('('.repeat(1e6));").end, End::Answered);
  EXPECT_NE(run("JSON.parse('['.repeat(5e6));").end, End::Answered);
  expectTheNextOneWorks();
}

TEST_F(Running, RollsBackWhatWasLeftOpen) {
  const RunReport report = run(R"js(
    const call = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
    call({ method: "run", sql: "create table t (x integer)" });
    const { transaction } = call({ method: "begin" });
    call({ method: "run", sql: "insert into t values (1)", transaction });
  )js");
  EXPECT_EQ(report.end, End::Answered);
  EXPECT_EQ(report.rolledBack, 1u);
  run(R"js(console.log(__host_sqlite_call('{"method":"get","sql":"select count(*) from t"}')))js");
  EXPECT_NE(written_.find("\"rows\":[0]"), std::string::npos) << written_;
}

TEST_F(Running, HasFreshRandomnessInEveryGuest) {
  for (int count = 0; count < 3; ++count) run("console.log(Math.random(), crypto.randomUUID())");
  std::vector<std::string> lines;
  for (std::size_t at = 0, end; (end = written_.find('\n', at)) != std::string::npos;
       at = end + 1) {
    lines.push_back(written_.substr(at, end - at));
  }
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[0], lines[1]);
  EXPECT_NE(lines[1], lines[2]);
}

TEST_F(Running, RefusesAMemoryLimitBelowTheGuestsOwn) {
  Limits limits;
  limits.memoryBytesMax = 128 * 1024;
  try {
    run("1", limits);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidRequest);
    EXPECT_NE(error.message().find("memoryBytesMax is 128kb; a guest takes at least"),
              std::string::npos)
        << error.message();
  }
}

// Hard stops and overflows of the native stack on several threads at once: what a race in the
// handling of faults would turn into the end of the process.
TEST_F(Running, SurvivesTrapsOnSeveralThreads) {
  const std::string_view hostile[] = {"new Array(3e7) + '';", "while (true) {}",
                                      "function f() { return f() + 1; } f();",
                                      "/^(a+)+$/.test('a'.repeat(40) + 'b');"};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&hostile, thread] {
      ConnectionPool pool{DatabaseOptions{}};
      for (int round = 0; round < 10; ++round) {
        RunOptions options;
        options.limits = withTime(std::chrono::milliseconds(5 + round));
        schemascript::run(*engine_, *watchdog_, pool, hostile[(thread + round) % 4],
                          std::move(options));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  expectTheNextOneWorks();
}

constexpr std::string_view kInsertsTwice = R"js(
  const statement = __host_sqlite.statement("create table if not exists t (a)");
  __host_sqlite.run(statement, [], 0);
  console.log("in between");
  __host_sqlite.run(__host_sqlite.statement("insert into t values (?)"), [7], 0);
)js";

TEST_F(Running, TellsItsTraceOfEachStatement) {
  std::string told;
  const std::thread::id here = std::this_thread::get_id();
  std::thread::id seen;
  RunOptions options;
  options.boundValues = BoundValueDisplay::Shown;
  options.log = [&told](LogStream, std::string_view text) { told += text; };
  options.trace = [&told, &seen](const TracedStatement& statement) {
    seen = std::this_thread::get_id();
    told += str(statement.sql, statement.values, '\n');
  };
  const RunReport report =
      schemascript::run(*engine_, *watchdog_, pool_, kInsertsTwice, std::move(options));
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(told, "create table if not exists t (a)\nin between\ninsert into t values (?)[7]\n");
  EXPECT_NE(seen, std::thread::id());
  EXPECT_NE(seen, here);  // That of the guest.
}

TEST_F(Running, EndsWithWhatItsTraceThrows) {
  RunOptions options;
  options.log = [this](LogStream, std::string_view text) { written_ += text; };
  options.trace = [](const TracedStatement&) { throw unavailable("the disk is full"); };
  EXPECT_THROW(schemascript::run(*engine_, *watchdog_, pool_, kInsertsTwice, std::move(options)),
               Error);
  EXPECT_EQ(written_, "");
  expectTheNextOneWorks();
}

}  // namespace
}  // namespace schemascript
