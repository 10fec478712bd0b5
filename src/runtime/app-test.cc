// Apps that are called: nothing passes from one call to the next, and nothing that a call does
// hurts the one after it.
#include "runtime/app.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "base/file.h"
#include "base/testing.h"
#include "sandbox/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

// An isolate, and the database of its calls.
class Caller {
 public:
  Caller(std::shared_ptr<const App> app, Watchdog& watchdog, ConnectionPool& database,
         IsolateOptions options = {})
      : isolate_(std::move(app), watchdog, options), database_(database) {}

  CallReport call(std::string_view name, std::string_view argument, LogSink log = {}) {
    return isolate_.call(database_, {.name = name, .argument = argument, .log = std::move(log)});
  }
  CallReport callWith(const CallRequest& request) { return isolate_.call(database_, request); }
  void refresh() { isolate_.refresh(); }
  void forget() { isolate_.discard(); }

 private:
  Isolate isolate_;
  ConnectionPool& database_;
};

class Calling : public WithEngine<> {
 protected:
  App::Loaded load(std::string_view bundle, std::filesystem::path file = {}) {
    AppOptions options;
    options.limits = limits_;
    options.log = [this](LogStream, std::string_view text) { written_ += text; };
    options.snapshotFile = std::move(file);
    return App::load(*engine_, *watchdog_, bundle, std::move(options));
  }

  // `use` gets an isolate of the app, on a guest's thread. Every reset is checked to the byte.
  template <typename Use>
  void with(std::string_view bundle, Isolation isolation, Use&& use) {
    const App::Loaded loaded = load(bundle);
    ASSERT_TRUE(loaded.app) << loaded.error.message;
    GuestThread::run([&] {
      Caller isolate(loaded.app, *watchdog_, pool_,
                     {.isolation = isolation, .resetCheck = ResetCheck::Yes});
      use(isolate);
    });
  }

  static std::string answer(const CallReport& report) {
    return report.end == CallEnd::Answered
               ? report.result
               : "failed " + std::to_string(static_cast<int>(report.end)) + ": " +
                     report.error.message;
  }

  ConnectionPool pool_{DatabaseOptions{}};
  Limits limits_;
  std::string written_;
};

TEST_F(Calling, AnswersAndSaysWhatItTook) {
  with(R"js(export const double = (x) => { console.log("got", x); return 2 * x; };)js",
       Isolation::Request, [](Caller& isolate) {
         std::string written;
         const CallReport report = isolate.call(
             "double", "21", [&](LogStream, std::string_view text) { written += text; });
         EXPECT_EQ(answer(report), "42");
         EXPECT_EQ(written, "got 21\n");
         EXPECT_GT(report.cost.wall, 0ns);
         EXPECT_GT(report.cost.processor, 0ns);
         EXPECT_GT(report.cost.heapBytes, 100'000u);
         EXPECT_LT(report.cost.heapBytes, 20'000'000u);
         // Nobody listens.
         EXPECT_EQ(answer(isolate.call("double", "1")), "2");
       });
}

TEST_F(Calling, MeasuresTheHeapOfEachCall) {
  with("export const take = (mb) => new Uint8Array(mb << 20).length;", Isolation::Worker,
       [](Caller& isolate) {
         EXPECT_GT(isolate.call("take", "20").cost.heapBytes, 20u << 20);
         EXPECT_LT(isolate.call("take", "1").cost.heapBytes, 20u << 20);
       });
}

TEST_F(Calling, TellsWhatIsMissing) {
  with("export const x = 1;", Isolation::Request, [](Caller& isolate) {
    EXPECT_EQ(isolate.call("x", "").end, CallEnd::NoSuchExport);
    EXPECT_EQ(isolate.call("y", "").error.message, "the app exports no function y");
    EXPECT_TRUE(isolate.call("y", "").error.exports.empty());
  });
  with("export const x = 1, f = () => 2; export default { g() {}, h: 3, get i() { throw f; } };",
       Isolation::Request, [](Caller& isolate) {
         EXPECT_EQ(isolate.call("x", "").error.exports, (std::vector<std::string>{"f", "g"}));
         EXPECT_EQ(answer(isolate.call("f", "")), "2");
       });
  // Names that are hostile, and more of them than anybody reads.
  with(R"js(
    const many = { 'a"]}': () => 1 };
    for (let i = 0; i < 1e5; ++i) many["f" + i] = () => i;
    export default new Proxy(many, { get: (from, name) => (name === "f7" ? never : from[name]) });
  )js",
       Isolation::Request, [](Caller& isolate) {
         const CallReport report = isolate.call("missing", "");
         EXPECT_EQ(report.end, CallEnd::NoSuchExport);
         EXPECT_EQ(report.error.exports.size(), 100u);
         EXPECT_EQ(report.error.exports.front(), "a\"]}");
       });
  with("export const f = (x) => x;", Isolation::Request, [](Caller& isolate) {
    EXPECT_EQ(isolate.call("f", "nonsense").end, CallEnd::BadArgument);
    EXPECT_EQ(answer(isolate.call("f", "1")), "1");
  });
}

TEST_F(Calling, TakesAndAnswersBytes) {
  with(R"js(
      export const reversed = (bytes) => bytes.reverse();
      export const type = (...all) => [all.length, all[0]?.constructor.name, all[0]?.length].join();
      export const part = (bytes) => new Uint8Array(bytes.buffer, 1, 2);
      export const buffer = async (bytes) => bytes.buffer;
      export const inside = (bytes) => ({ bytes });
      export const wide = () => new Uint16Array([1]);
      export const large = (mb) => new Uint8Array(mb << 20).fill(7);
    )js",
       Isolation::Worker, [](Caller& isolate) {
         const auto call = [&](std::string_view name, std::string_view bytes) {
           return isolate.callWith(
               {.name = name, .argument = bytes, .argumentKind = Payload::Bytes});
         };
         const std::string all("\0\x01\xff{", 4);
         const CallReport reversed = call("reversed", all);
         EXPECT_EQ(reversed.result, std::string("{\xff\x01\0", 4));
         EXPECT_EQ(reversed.resultKind, Payload::Bytes);
         EXPECT_EQ(call("part", all).result, "\x01\xff");
         EXPECT_EQ(call("buffer", all).result, all);
         EXPECT_EQ(answer(call("type", all)), R"("1,Uint8Array,4")");
         EXPECT_EQ(answer(call("type", "")), R"("1,Uint8Array,0")");
         EXPECT_EQ(answer(isolate.call("type", "")), R"("0,,")");
         const CallReport nothing = call("reversed", "");
         EXPECT_EQ(nothing.result, "");
         EXPECT_EQ(nothing.resultKind, Payload::Bytes);
         // Only as the whole answer, and only these.
         EXPECT_EQ(answer(call("inside", "a")), R"({"bytes":{"0":97}})");
         const CallReport wide = isolate.call("wide", "");
         EXPECT_EQ(wide.result, R"({"0":1})");
         EXPECT_EQ(wide.resultKind, Payload::Json);
         EXPECT_EQ(isolate.call("large", "20").result, std::string(20 << 20, '\x07'));
         EXPECT_EQ(isolate.call("reversed", "1").end, CallEnd::Threw);
         EXPECT_EQ(call("reversed", std::string(30 << 20, 'x')).end, CallEnd::MemoryExceeded);
         EXPECT_EQ(call("reversed", "ab").result, "ba");
       });
}

TEST_F(Calling, RefusesAnArgumentThatDoesNotFit) {
  with("export const f = (text) => text.length;", Isolation::Request, [](Caller& isolate) {
    const CallReport report = isolate.call("f", '"' + std::string((70 << 20) - 3, 'x') + '"');
    EXPECT_EQ(report.end, CallEnd::MemoryExceeded);
    EXPECT_EQ(report.error.message,
              "70mb of text do not fit into the guest's memory of 64mb (memoryBytesMax)");
    EXPECT_EQ(answer(isolate.call("f", '"' + std::string(10 << 20, 'x') + '"')), "10485760");
    EXPECT_EQ(answer(isolate.call("f", "\"x\"")), "1");
  });
}

TEST_F(Calling, TellsWhyAnAppCannotBeLoaded) {
  EXPECT_EQ(load("throw new RangeError('no');").error.message, "no");
  EXPECT_EQ(load("const = 1").error.name, "SyntaxError");
  EXPECT_EQ(load("await new Promise(() => {});").end, CallEnd::NeverSettles);
  EXPECT_EQ(load("const all = []; for (;;) all.push(new Uint8Array(1e6));").end,
            CallEnd::MemoryExceeded);
  const App::Loaded queries = load("__host_sqlite.run(__host_sqlite.statement('select 1'), [], 0)");
  EXPECT_EQ(queries.end, CallEnd::Threw);
  EXPECT_EQ(queries.error.message,
            "module scope has no database: it is evaluated once, and every call starts from what "
            "it left; query inside of the exported function");
  limits_.runTimeMax = 50ms;
  EXPECT_EQ(load("for (;;);").end, CallEnd::TimeExceeded);
  EXPECT_EQ(load("new Array(3e7) + '';").end, CallEnd::TimeExceeded);
  EXPECT_TRUE(load("console.log('loaded');").app);
  EXPECT_EQ(written_, "loaded\n");
}

// Each leaves something in every place that it can think of, and says what it found there.
constexpr std::string_view kLeaks[] = {
    R"js(  // Globals and prototypes.
      export const f = () => {
        const found = [typeof globalThis.left, {}.left, [].left, (() => {}).left, "".left, Date.left,
                       Math.left, console.left, JSON.left, Promise.prototype.left];
        globalThis.left = 1;
        for (const o of [Object.prototype, Array.prototype, Function.prototype, String.prototype, Date,
                         Math, console, JSON, Promise.prototype]) o.left = "left";
        JSON.stringify = () => "patched";
        Promise.prototype.then = () => "patched";
        Array.prototype[Symbol.iterator] = null;
        return found.join();
      };)js",
    R"js(  // The module's state and closures.
      let state = 0;
      const list = [], map = new Map(), weak = new WeakMap(), key = {};
      const closure = (() => { let kept; return (value) => { const before = kept; kept = value; return before; }; })();
      function* generate() { let n = 0; for (;;) yield n++; }
      const generator = generate();
      const regexp = /a/g;
      export const f = () => {
        const found = [state++, list.length, map.size, weak.has(key), closure("kept"), generator.next().value,
                       regexp.lastIndex];
        list.push("kept"); map.set("kept", 1); weak.set(key, 1); regexp.test("aa");
        return found.join();
      };)js",
    R"js(  // References that the collector looks after.
      let reference, finalized = 0;
      const registry = new FinalizationRegistry(() => { ++finalized; });
      export const f = async () => {
        const found = [reference === undefined, finalized];
        let target = { secret: 1 };
        reference = new WeakRef(target);
        registry.register(target, 1);
        target = null;
        return found.join();
      };)js",
    R"js(  // What would still come: promises, timers, microtasks.
      const came = [];
      export const f = () => {
        const found = came.join();
        setTimeout(() => came.push("timeout"), 0);
        setInterval(() => came.push("interval"), 1);
        setImmediate(() => came.push("immediate"));
        new Promise(() => {}).then(() => came.push("never"));
        Promise.resolve().then(() => came.push("microtask"));
        AbortSignal.timeout(1).addEventListener("abort", () => came.push("abort"));
        addEventListenerIfThere();
        return found;
      };
      function addEventListenerIfThere() {
        globalThis.addEventListener?.("left", () => came.push("event"));
      })js",
    R"js(  // Memory that was used before.
      export const f = () => {
        const found = [];
        for (const size of [16, 64, 256, 4096, 65536, 1 << 20]) {
          const bytes = new Uint8Array(size);
          found.push(bytes.some((byte) => byte !== 0));
          bytes.fill(0xab);
        }
        const resized = new TextDecoder().decode(new TextEncoder().encode("secret".repeat(1000)));
        return found.join() + resized.length;
      };)js",
    R"js(  // The console and symbols.
      export const f = () => {
        let written = "";
        const found = [Symbol.keyFor(Symbol.for("left")) === "left", console.count.left];
        console.group(); console.count("c"); console.time("t");
        console.count.left = 1;
        return found.join();
      };)js",
};

TEST_F(Calling, LeavesNothingToTheNextCall) {
  for (const std::string_view leak : kLeaks) {
    with(leak, Isolation::Request, [leak](Caller& isolate) {
      std::string first_written;
      const std::string first =
          answer(isolate.call("f", "", [&](LogStream, std::string_view t) { first_written += t; }));
      EXPECT_EQ(first.find("failed"), std::string::npos) << first;
      for (int round = 0; round < 5; ++round) {
        std::this_thread::sleep_for(2ms);
        std::string written;
        EXPECT_EQ(
            answer(isolate.call("f", "", [&](LogStream, std::string_view t) { written += t; })),
            first)
            << leak;
        EXPECT_EQ(written, first_written);
      }
    });
  }
}

// What the test above would say if a reset did nothing.
TEST_F(Calling, KeepsItsStateAsAWorker) {
  with(kLeaks[1], Isolation::Worker, [](Caller& isolate) {
    EXPECT_EQ(answer(isolate.call("f", "")), "\"0,0,0,false,,0,0\"");
    EXPECT_EQ(answer(isolate.call("f", "")), "\"1,1,1,true,kept,1,1\"");
  });
  with(
      "let n = 0; export const f = () => ++n; export const fail = () => { ++n; throw new "
      "Error('no'); };"
      "export const timer = () => { setTimeout(() => { n += 100; }, 1); };"
      "export const wait = () => new Promise((resolve) => setTimeout(resolve, 5));",
      Isolation::Worker, [](Caller& isolate) {
        EXPECT_EQ(answer(isolate.call("f", "")), "1");
        EXPECT_EQ(isolate.call("fail", "").end, CallEnd::Threw);
        EXPECT_EQ(isolate.call("missing", "").end, CallEnd::NoSuchExport);
        EXPECT_EQ(answer(isolate.call("f", "")), "3");
        isolate.call("timer", "");
        isolate.call("wait", "");
        EXPECT_EQ(answer(isolate.call("f", "")), "104");
      });
}

// A query that is prepared in module scope is ready in every call, whatever else is prepared there.
TEST_F(Calling, HasWhatItsModulePrepared) {
  with(R"js(
      import { sql } from "drizzle-orm";
      import { database, Table } from "schemascript";
      const things = Table("things", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
      const db = database({ things });
      const all = db.select().from(things).prepare();
      const broken = db.select().from(sql`nowhere`).prepare();
      export const fill = async () => {
        await db.run(sql`create table things (id integer primary key, name text) strict`);
        await db.insert(things).values([{ name: "one" }, { name: "two" }]);
      };
      export const read = () => all.all();
      export const fail = () => broken.all();
    )js",
       Isolation::Request, [](Caller& isolate) {
         EXPECT_EQ(answer(isolate.call("fill", "")), "");
         for (int round = 0; round < 3; ++round) {
           EXPECT_EQ(answer(isolate.call("read", "")),
                     R"([{"id":1,"name":"one"},{"id":2,"name":"two"}])");
           EXPECT_EQ(isolate.call("fail", "").end, CallEnd::Threw);
         }
       });
}

TEST_F(Calling, HasItsOwnRandomnessEachTime) {
  const App::Loaded loaded = load(
      "export const f = () => [Math.random(), crypto.randomUUID(), "
      "crypto.getRandomValues(new Uint32Array(4)).join()];");
  std::set<std::string> seen;
  constexpr int kIsolates = 30;
  constexpr int kCalls = 100;
  GuestThread::run([&] {
    for (int count = 0; count < kIsolates; ++count) {
      Caller isolate(loaded.app, *watchdog_, pool_, {.resetCheck = ResetCheck::Yes});
      for (int call = 0; call < kCalls; ++call) {
        const std::string answered = answer(isolate.call("f", ""));
        // Each of the three on its own.
        seen.insert(answered.substr(0, answered.find(',')));
        seen.insert(answered.substr(answered.find(',')));
      }
    }
  });
  EXPECT_EQ(seen.size(), 2u * kIsolates * kCalls);
}

TEST_F(Calling, HasAClockOfItsOwn) {
  with("export const f = () => [performance.now(), Date.now(), performance.timeOrigin];",
       Isolation::Request, [](Caller& isolate) {
         for (int round = 0; round < 2; ++round) {
           isolate.refresh();
           std::this_thread::sleep_for(30ms);
           double now = 0;
           double wall = 0;
           double origin = 0;
           const std::string answered = answer(isolate.call("f", ""));
           ASSERT_EQ(std::sscanf(answered.c_str(), "[%lf,%lf,%lf]", &now, &wall, &origin), 3);
           EXPECT_LT(now, 25);
           EXPECT_NEAR(origin + now, wall, 2);
         }
       });
}

TEST_F(Calling, IsNotHurtByWhatACallDid) {
  limits_.runTimeMax = 400ms;
  const struct {
    std::string_view name;
    CallEnd end;
  } cases[] = {
      {"loop", CallEnd::TimeExceeded},      {"builtIn", CallEnd::TimeExceeded},
      {"regexp", CallEnd::TimeExceeded},    {"timer", CallEnd::TimeExceeded},
      {"statement", CallEnd::TimeExceeded}, {"memory", CallEnd::MemoryExceeded},
      {"recursion", CallEnd::Threw},        {"never", CallEnd::NeverSettles},
      {"transaction", CallEnd::Answered},
  };
  for (const Isolation isolation : {Isolation::Request, Isolation::Worker}) {
    with(R"js(
      const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
      export const loop = () => { for (;;); };
      export const builtIn = () => (new Array(3e7) + "").length;
      export const regexp = () => /^(a+)+$/.test("a".repeat(40) + "b");
      export const timer = () => new Promise((resolve) => setTimeout(resolve, 60_000));
      export const statement = () => ask({ method: "all", sql: `with recursive n(i) as
        (select 1 union all select i + 1 from n) select count(*) from n` });
      export const memory = () => { const all = []; for (;;) all.push(new Uint8Array(1e6)); };
      export const recursion = () => recursion() + 1;
      export const never = () => new Promise(() => {});
      export const transaction = () => ask({ method: "begin" }).transaction;
      export const fine = () => ask({ method: "get", sql: "select 42" }).rows[0];
    )js",
         isolation, [&](Caller& isolate) {
           for (const auto& [name, end] : cases) {
             const CallReport report = isolate.call(name, "");
             EXPECT_EQ(report.end, end) << name << ": " << answer(report);
             EXPECT_EQ(report.rolledBack, name == "transaction" ? 1u : 0u);
             for (int round = 0; round < 2; ++round) {
               EXPECT_EQ(answer(isolate.call("fine", "")), "42") << "after " << name;
             }
           }
         });
  }
}

TEST_F(Calling, GoesOnAfterWhatTheLogThrew) {
  with("let n = 0; export const f = () => { ++n; console.log(n); return n; };", Isolation::Worker,
       [](Caller& isolate) {
         const LogSink full = [](LogStream, std::string_view) { throw unavailable("no room"); };
         EXPECT_EQ(answer(isolate.call("f", "")), "1");
         EXPECT_THROW(isolate.call("f", "", full), Error);
         EXPECT_EQ(answer(isolate.call("f", "")), "1");
       });
}

constexpr std::string_view kSelects = R"js(
  let calls = 0;
  export const f = (value) => {
    __host_sqlite.all(__host_sqlite.statement("select ?"), [value], 0);
    return ++calls;
  };
)js";

TEST_F(Calling, TellsTheTraceOfTheCallAlone) {
  with(kSelects, Isolation::Request, [](Caller& isolate) {
    std::string told;
    CallRequest traced{.name = "f", .argument = "7"};
    traced.trace = [&told](const TracedStatement& statement) {
      told += str(statement.sql, statement.values, statement.compiled ? " compiled;" : ";");
    };
    isolate.callWith(traced);
    EXPECT_EQ(told, "select ? compiled;");
    isolate.call("f", "8");
    EXPECT_EQ(told, "select ? compiled;");
    traced.boundValues = BoundValueDisplay::Shown;
    isolate.callWith(traced);
    EXPECT_EQ(told, "select ? compiled;select ?[7];");
  });
}

TEST_F(Calling, GoesOnAfterWhatTheTraceThrew) {
  with(kSelects, Isolation::Worker, [](Caller& isolate) {
    CallRequest traced{.name = "f", .argument = "7"};
    traced.trace = [](const TracedStatement&) { throw unavailable("no room"); };
    EXPECT_EQ(answer(isolate.call("f", "7")), "1");
    EXPECT_THROW(isolate.callWith(traced), Error);
    EXPECT_EQ(answer(isolate.call("f", "7")), "1");
  });
}

TEST_F(Calling, WritesOnlyWhereItMay) {
  const App::Loaded loaded = load(
      "export const f = (sql) => JSON.parse(__host_sqlite_call(JSON.stringify({ method: 'run', sql "
      "})));");
  GuestThread::run([&] {
    Isolate isolate(loaded.app, *watchdog_, {.resetCheck = ResetCheck::Yes});
    EXPECT_NE(answer(isolate.call(pool_, {.name = "f",
                                          .argument = R"js("create table t (x)")js",
                                          .readOnly = true}))
                  .find("not-allowed"),
              std::string::npos);
  });
}

TEST_F(Calling, KeepsTheSnapshotInAFile) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "app.snapshot";
  const std::string_view bundle = "console.log('evaluated'); export const f = () => 42;";
  const auto check = [&](bool fromFile) {
    written_.clear();
    const App::Loaded loaded = load(bundle, file);
    ASSERT_TRUE(loaded.app);
    EXPECT_EQ(loaded.fromFile, fromFile);
    EXPECT_EQ(written_, fromFile ? "" : "evaluated\n");
    GuestThread::run([&] {
      Caller isolate(loaded.app, *watchdog_, pool_, {.resetCheck = ResetCheck::Yes});
      EXPECT_EQ(answer(isolate.call("f", "")), "42");
      EXPECT_EQ(answer(isolate.call("f", "")), "42");
    });
  };
  check(false);
  check(true);
  // Of another app, and of other limits.
  EXPECT_FALSE(load("export const f = () => 1;", file).fromFile);
  check(false);
  limits_.memoryBytesMax = 48u << 20;
  check(false);
  check(true);
  // Damaged.
  std::string content = readFile(file);
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 4);
  std::ofstream(file, std::ios::binary) << content;
  check(false);
  check(true);
  std::filesystem::resize_file(file, 5000);
  check(false);
  check(true);
  // Nowhere to write.
  EXPECT_TRUE(load(bundle, folder / "missing" / "app.snapshot").app);
}

// Many isolates of one app at once, some of them hostile.
TEST_F(Calling, SharesAnAppBetweenThreads) {
  limits_.runTimeMax = 2s;
  const App::Loaded loaded = load(R"js(
    let n = 0;
    export const count = () => ++n;
    export const recurse = () => recurse() + 1;
    export const fill = () => new Uint8Array(6 << 20).fill(1).length;
  )js");
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      GuestThread::run([&] {
        Caller isolate(loaded.app, *watchdog_, pool_, {.resetCheck = ResetCheck::Yes});
        for (int round = 0; round < 50; ++round) {
          EXPECT_EQ(answer(isolate.call("count", "")), "1");
          EXPECT_EQ(isolate.call("recurse", "").end, CallEnd::Threw);
          EXPECT_EQ(answer(isolate.call("fill", "")), "6291456");
        }
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Each says "x" when it is there, and does not end by itself.
constexpr std::string_view kEndless = R"js(
  const here = () => console.log("x");
  const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
  let count = 0;
  export const next = () => ++count;
  export const loop = () => { here(); for (;;); };
  export const stubborn = () => { here(); for (;;) try { for (;;); } catch {} finally { continue; } };
  export const timer = () => new Promise((resolve) => { here(); setTimeout(resolve, 3e6); });
  export const timers = async () => {
    here();
    for (;;) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  export const statement = () => { here(); return ask({ method: "all", sql: `with recursive n(i) as
    (select 1 union all select i + 1 from n) select count(*) from n` }); };
  export const expression = () => { here(); return /(a+)+b/.test("a".repeat(60)); };
  export const leave = () => {
    ask({ method: "begin" });
    ask({ method: "run", sql: "create table left (x)" });
    here();
    for (;;);
  };
)js";

TEST_F(Calling, EndsWhereverItIsWhenItIsAskedToStop) {
  limits_.runTimeMax = std::chrono::hours(1);
  limits_.sqlTimeMax = std::chrono::hours(1);
  for (const Isolation isolation : {Isolation::Request, Isolation::Worker}) {
    with(kEndless, isolation, [&](Caller& isolate) {
      for (const std::string_view name :
           {"loop", "stubborn", "timer", "timers", "statement", "expression", "leave"}) {
        EXPECT_EQ(answer(isolate.call("next", "")), "1") << name;
        std::stop_source source;
        std::promise<void> isRunning;
        std::jthread stopper([&] {
          isRunning.get_future().wait();
          source.request_stop();
        });
        const CallReport report =
            isolate.callWith({.name = name,
                              .log = [&](LogStream, std::string_view) { isRunning.set_value(); },
                              .stop = source.get_token()});
        EXPECT_EQ(static_cast<int>(report.end), static_cast<int>(CallEnd::Cancelled)) << name;
        EXPECT_EQ(report.rolledBack, name == "leave" ? 1u : 0u);
        EXPECT_GT(report.cost.wall, 0ns);
        // Nothing of it is left, not even with Isolation::Worker.
        EXPECT_EQ(answer(isolate.call("next", "")), "1") << name;
        if (isolation == Isolation::Worker) isolate.forget();
      }
    });
  }
}

TEST_F(Calling, IsStoppedFromItsOwnLog) {
  limits_.runTimeMax = std::chrono::hours(1);
  with(kEndless, Isolation::Request, [&](Caller& isolate) {
    std::stop_source source;
    EXPECT_EQ(isolate
                  .callWith({.name = "loop",
                             .log = [&](LogStream, std::string_view) { source.request_stop(); },
                             .stop = source.get_token()})
                  .end,
              CallEnd::Cancelled);
    EXPECT_EQ(answer(isolate.call("next", "")), "1");
  });
}

TEST_F(Calling, RunsNothingThatWasStoppedBefore) {
  with(kEndless, Isolation::Worker, [&](Caller& isolate) {
    EXPECT_EQ(answer(isolate.call("next", "")), "1");
    std::stop_source source;
    source.request_stop();
    const CallReport report = isolate.callWith({.name = "next", .stop = source.get_token()});
    EXPECT_EQ(report.end, CallEnd::Cancelled);
    EXPECT_EQ(report.cost.fuel, 0u);
    EXPECT_EQ(answer(isolate.call("next", "")), "2");  // And what was kept is kept.
  });
}

// Requests that come at about the end of a call end that one, or nothing.
TEST_F(Calling, NeverStopsTheCallAfterTheOneThatIsMeant) {
  with(kEndless, Isolation::Request, [&](Caller& isolate) {
    std::size_t stopped = 0;
    for (int round = 0; round < 300; ++round) {
      std::stop_source source;
      std::atomic<bool> begins = false;
      std::jthread stopper([&, round] {
        while (!begins) std::this_thread::yield();
        const auto when = std::chrono::steady_clock::now() + round * 10us;
        while (std::chrono::steady_clock::now() < when) continue;
        source.request_stop();
      });
      begins = true;
      const CallReport report = isolate.callWith({.name = "next", .stop = source.get_token()});
      if (report.end == CallEnd::Cancelled) {
        ++stopped;
      } else {
        EXPECT_EQ(answer(report), "1");
      }
      EXPECT_EQ(answer(isolate.call("next", "")), "1");
    }
    std::cout << stopped << " of 300 calls were stopped\n";
  });
}

}  // namespace
}  // namespace schemascript
