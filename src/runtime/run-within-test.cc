// Whole apps in a transaction of the host's: what they can do there, that they can neither end it
// nor leave it, and how it is after each of their ends.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/testing.h"
#include "database/host-transaction.h"
#include "runtime/run.h"
#include "sandbox/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;
using End = RunReport::End;

// The host has inserted row 1 in the transaction; the app's rows begin with 2.
class RunningWithin : public WithEngine<> {
 protected:
  RunningWithin() {
    host("create table t (id integer primary key, a text unique)");
    host("create table child (t integer references t (id))");
    host("create table __schemascript_applied (name text)");
    host("pragma foreign_keys = off");
    begin();
  }

  void host(std::string_view sql) { database_.execute(sql, Rules::Host); }
  void begin() {
    host("begin immediate");
    host("insert into t values (1, 'host')");
  }

  RunReport run(std::string_view source, Limits limits = {}) {
    RunOptions options;
    options.limits = limits;
    return run(source, std::move(options));
  }
  RunReport run(std::string_view source, RunOptions options) {
    if (!options.log) {
      options.log = [this](LogStream, std::string_view text) { written_ += text; };
    }
    const std::string bundle = str(R"js(
      import { database } from "schemascript";
      const db = database();
      const call = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
      const ask = (sql, transaction, method = "all") => call({ method, sql, transaction });
      const say = ({ error, rows }) => console.log(error ? error.code + ": " + error.message : rows);
    )js",
                                   source);
    return schemascript::runWithin(*engine_, *watchdog_, database_, bundle, std::move(options));
  }

  static Limits withTime(std::chrono::milliseconds time) {
    Limits limits;
    limits.runTimeMax = time;
    return limits;
  }

  static std::string idsIn(Database& database) {
    Statement statement = database.prepare(
        "select coalesce(group_concat(id), '') from (select id from t order by id)", Rules::Host);
    Execution execution(statement);
    EXPECT_TRUE(execution.step());
    return std::string(execution.column(0).bytes);
  }
  std::string ids() { return idsIn(database_); }
  // What everybody else sees.
  std::string committedIds() {
    Database other({.file = folder_ / "a.db"});
    return idsIn(other);
  }

  void expectOpen(const RunReport& report) {
    EXPECT_FALSE(report.transactionEnded);
    EXPECT_TRUE(database_.inTransaction());
    EXPECT_FALSE(database_.isAbandoned());
    EXPECT_EQ(committedIds(), "");
  }
  // The host's next step after a failure.
  void expectRollsBack() {
    host("rollback");
    EXPECT_FALSE(database_.inTransaction());
    EXPECT_EQ(ids(), "");
    EXPECT_EQ(committedIds(), "");
  }
  // Of a run in which SQLite has ended the transaction.
  void expectEnded(const RunReport& report) {
    EXPECT_TRUE(report.transactionEnded);
    EXPECT_NE(report.end, End::Answered);
    EXPECT_FALSE(database_.inTransaction());
    EXPECT_FALSE(database_.isAbandoned());
    EXPECT_EQ(ids(), "");
    EXPECT_EQ(committedIds(), "");
  }

  const TemporaryFolder folder_;
  Database database_{{.file = folder_ / "a.db"}};
  std::string written_;
};

TEST_F(RunningWithin, SeesWhatTheHostHasDoneAndLeavesItsOwnToIt) {
  const RunReport report = run(R"js(
    for await (const [id, a] of db.iterate("select id, a from t")) console.log(id, a);
    await db.run("insert into t values (2, 'app')");
    console.log(await db.values("select count(*) from t"));
  )js");
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_, "1 host\n[ [ 2 ] ]\n");
  EXPECT_EQ(report.rolledBack, 0u);
  expectOpen(report);
  EXPECT_EQ(ids(), "1,2");
  host("commit");
  EXPECT_EQ(committedIds(), "1,2");
}

TEST_F(RunningWithin, IsUndoneWithTheHostsTransaction) {
  const RunReport report = run("await db.run(\"insert into t values (2, 'app')\");");
  EXPECT_EQ(report.end, End::Answered);
  expectOpen(report);
  expectRollsBack();
}

TEST_F(RunningWithin, ChangesTheSchemaLikeAnyOtherStatement) {
  const RunReport report = run(R"js(
    await db.run("alter table t add column b text default 'b'");
    await db.run("create index t_b on t (b)");
    console.log(await db.values("select b from t"));
  )js");
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_, "[ [ 'b' ] ]\n");
  expectOpen(report);
  expectRollsBack();
}

TEST_F(RunningWithin, HasTransactionsThatAreSavepoints) {
  const RunReport report = run(R"js(
    await db.transaction(async (tx) => {
      await tx.run("insert into t values (2, 'kept')");
      await tx.transaction(async (inner) => {
        await inner.run("insert into t values (3, 'dropped')");
        throw new Error("inner");
      }).catch((error) => console.log(error.message));
      await tx.transaction((inner) => inner.run("insert into t values (4, 'kept too')"));
    });
    await db.transaction(async (tx) => {
      await tx.run("insert into t values (5, 'dropped')");
      throw new Error("outer");
    }, { behavior: "exclusive" }).catch((error) => console.log(error.message));
    await db.run("insert into t values (6, 'behind')");
  )js");
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_, "inner\nouter\n");
  EXPECT_EQ(report.rolledBack, 0u);
  expectOpen(report);
  EXPECT_EQ(ids(), "1,2,4,6");
}

TEST_F(RunningWithin, UndoesAFailedBatchAlone) {
  const RunReport report = run(R"js(
    await db.run("insert into t values (2, 'before')");
    say(call({ method: "batch", steps: [
      { method: "run", sql: "insert into t values (3, 'first')" },
      { method: "run", sql: "insert into t values (4, 'first')" },
    ] }));
    await db.run("insert into t values (5, 'behind')");
  )js");
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_NE(written_.find("conflict: statement 2 of the batch: t.a must be unique"),
            std::string::npos)
      << written_;
  expectOpen(report);
  EXPECT_EQ(ids(), "1,2,5");
}

TEST_F(RunningWithin, UndoesAStatementWhoseAnswerIsTooLong) {
  const RunReport report = run(R"js(
    say(ask("with recursive n(i) as (select 2 union all select i + 1 from n where i < 20) " +
      "insert into t select i, i from n returning id"));
  )js",
                               Limits{.resultRowsMax = 10});
  EXPECT_EQ(written_.substr(0, 14), "limit-exceeded") << written_;
  expectOpen(report);
  EXPECT_EQ(ids(), "1");
}

TEST_F(RunningWithin, TakesTransactionsInTurn) {
  const RunReport report = run(R"js(
    const pause = () => new Promise((resolve) => setTimeout(resolve, 2));
    await Promise.all([2, 3, 4].map((id) => db.transaction(async (tx) => {
      console.log("begin", id);
      await pause();
      await tx.run(`insert into t values (${id}, ${id})`);
      await pause();
      console.log("end", id);
      if (id === 3) throw new Error("not this one");
    }).catch((error) => console.log(error.message))).concat(
      db.values("select count(*) from t").then((rows) => console.log("read", rows[0][0]))));
  )js");
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_, "begin 2\nend 2\nbegin 3\nend 3\nbegin 4\nnot this one\nend 4\nread 3\n");
  expectOpen(report);
  EXPECT_EQ(ids(), "1,2,4");
}

TEST_F(RunningWithin, LetsNothingFallIntoAnOpenTransaction) {
  const RunReport report = run(R"js(
    const { transaction } = call({ method: "begin", behavior: "deferred" });
    const outside = [
      ask("select 1"), ask("insert into t values (2, 'no')"), call({ method: "begin" }),
      call({ method: "begin", behavior: "deferred" }), ask("select 1", undefined, "iterate"),
      call({ method: "batch", steps: [{ method: "run", sql: "delete from t" }] }),
    ];
    console.log(outside.map(({ error }) => `${error?.code} ${error?.waitsFor === transaction}`));
    call({ method: "rollback", transaction });
    say(ask("select count(*) from t"));
  )js");
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_,
            "[\n  'conflict true',\n  'conflict true',\n  'conflict true',\n  'conflict true',\n"
            "  'conflict true',\n  'conflict true'\n]\n[ [ 1 ] ]\n");
  expectOpen(report);
}

TEST_F(RunningWithin, SaysWhatWaitsForItself) {
  const RunReport report =
      run("await db.transaction(async () => { await db.values('select 1 from t'); });");
  EXPECT_EQ(report.end, End::NeverSettles);
  EXPECT_NE(report.error.message.find("use `tx` inside of transaction()"), std::string::npos)
      << report.error.message;
  EXPECT_EQ(report.rolledBack, 1u);
  expectOpen(report);
}

TEST_F(RunningWithin, CannotEndTheTransactionByText) {
  host("savepoint host");
  host("savepoint schemascript");
  host("insert into t values (2, 'host too')");
  const RunReport report = run(R"js(
    for (const sql of [
      "commit", "COMMIT TRANSACTION", "end", "/**/ commit", "rollback", "rollback to host",
      "rollback to schemascript", "rollback transaction to savepoint schemascript", "release host",
      "release schemascript", "release savepoint schemascript_atom", "savepoint mine", "begin",
      "begin immediate", "explain commit", "explain query plan rollback",
    ]) {
      for (const method of ["run", "all", "get", "values", "iterate"]) {
        const { error } = ask(sql, undefined, method);
        if (error?.code !== "not-allowed") console.log(sql, method, error);
      }
      const { error } = call({ method: "batch", steps: [{ method: "run", sql }] });
      if (error?.code !== "not-allowed") console.log(sql, "batch", error);
    }
    const { error } = ask("select 1; commit");
    if (error?.code !== "invalid-request") console.log(error);
    const { transaction } = call({ method: "begin" });
    ask("insert into t values (3, 'app')", transaction);
    if (ask("rollback", transaction).error?.code !== "not-allowed") console.log("in a savepoint");
    call({ method: "commit", transaction });
  )js");
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_, "");
  expectOpen(report);
  EXPECT_EQ(ids(), "1,2,3");
  host("release schemascript");
  host("rollback to host");
  EXPECT_EQ(ids(), "1");
}

TEST_F(RunningWithin, CannotEndWhatItDidNotBegin) {
  const RunReport report = run(R"js(
    for (const transaction of [0, 1, 2, 4294967295]) {
      for (const method of ["commit", "rollback"]) {
        const { error } = call({ method, transaction });
        if (error?.code !== "invalid-request") console.log(method, transaction, error);
      }
    }
    const { transaction } = call({ method: "begin" });
    call({ method: "commit", transaction });
    for (const method of ["commit", "rollback"]) say(call({ method, transaction }));
  )js");
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_, "conflict: transaction 1 has ended\nconflict: transaction 1 has ended\n");
  expectOpen(report);
}

TEST_F(RunningWithin, TellsThatInsertOrRollbackEndedTheTransaction) {
  const RunReport report = run("await db.run(\"insert or rollback into t values (1, 'again')\");");
  EXPECT_EQ(report.end, End::Threw);
  const std::string told = report.error.message +
                           (report.error.causes.empty() ? "" : report.error.causes.front().message);
  EXPECT_NE(told.find("; the transaction was rolled back"), std::string::npos) << told;
  expectEnded(report);
}

// What ends the transaction, with nothing open, in a savepoint, in a batch and with RETURNING; then
// whatever else could be committed by itself.
TEST_F(RunningWithin, RefusesEverythingAfterTheTransactionHasEnded) {
  const std::string_view prepare = R"js(
    ask("create table once (a unique on conflict rollback)");
    ask("insert into once values (1)");
    ask("create trigger no before delete on t begin select raise(rollback, 'never'); end");
  )js";
  const std::string_view endings[] = {
      "ask(\"insert or rollback into t values (1, 'again')\")",
      "ask(\"insert or rollback into t values (1, 'again') returning id\")",
      "ask(\"update or rollback t set id = 1\"); ask(\"insert or rollback into t values (1, 1)\")",
      "ask('insert into once values (1)')",
      "ask('delete from t')",
      "ask('delete from t returning id')",
      "begun = call({ method: 'begin' }).transaction; ask('delete from t', begun)",
      "begun = call({ method: 'begin' }).transaction;"
      "call({ method: 'begin', transaction: begun }); ask('delete from t', begun + 1)",
      "call({ method: 'batch', steps: [{ method: 'run', sql: 'select 1' },"
      "  { method: 'run', sql: 'delete from t' }, { method: 'run', sql: 'drop table t' }] })",
      "begun = call({ method: 'begin' }).transaction;"
      "call({ method: 'batch', transaction: begun, steps: [{ method: 'run', sql: 'delete from t' "
      "}] })",
      "cursor = ask('select id from t union all select 5', undefined, 'iterate').cursor;"
      "ask('delete from t')",
  };
  const std::string_view after = R"js(
    const requests = [
      { method: "run", sql: "insert into t values (7, 'free')" },
      { method: "all", sql: "insert into t values (8, 'free') returning id" },
      { method: "all", sql: "select * from t" },
      { method: "iterate", sql: "select * from t" },
      { method: "begin" }, { method: "begin", behavior: "exclusive" },
      { method: "batch", steps: [{ method: "run", sql: "insert into t values (9, 'free')" }] },
      { method: "run", sql: "create table free (a)" },
      ...(cursor ? [{ method: "fetch", cursor }] : []),
    ];
    if (begun) {
      requests.push({ method: "run", sql: "insert into t values (10, 'x')", transaction: begun });
      requests.push({ method: "begin", transaction: begun });
      requests.push({ method: "commit", transaction: begun });
    }
    for (const request of requests.concat(requests)) {
      const { error } = call(request);
      if (error?.code !== "conflict") console.log(JSON.stringify(request), error);
    }
    if (begun) console.log(call({ method: "rollback", transaction: begun }));
  )js";
  for (const std::string_view ending : endings) {
    written_.clear();
    const RunReport report = run(str(prepare, "let begun, cursor;", ending, ";\n", after),
                                 Limits{.cursorBatchRowsMax = 1});
    EXPECT_EQ(report.end, End::Threw) << ending;
    EXPECT_NE(report.error.message.find("rolled back when a statement failed"), std::string::npos)
        << report.error.message;
    EXPECT_TRUE(written_.empty() || written_ == "{}\n") << ending << '\n' << written_;
    EXPECT_EQ(report.rolledBack, 0u) << ending;
    expectEnded(report);
    Database other({.file = folder_ / "a.db"});
    EXPECT_THROW(other.execute("select * from free", Rules::Host), Error) << ending;
    EXPECT_THROW(other.execute("select * from once", Rules::Host), Error) << ending;
    begin();
  }
}

// A read that is out of memory is no reason for anybody to think of the transaction.
TEST_F(RunningWithin, NoticesThatAReadHasEndedTheTransaction) {
  Database small({.file = folder_ / "b.db", .limits = {.sqliteBytesMax = 8u << 20}});
  small.execute("create table t (id integer primary key, a text unique)", Rules::Host);
  small.execute("begin immediate", Rules::Host);
  RunOptions options;
  options.log = [this](LogStream, std::string_view text) { written_ += text; };
  const RunReport report = schemascript::runWithin(*engine_, *watchdog_, small, R"js(
    const call = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
    call({ method: "run", sql: "insert into t values (1, 'lost')" });
    console.log(call({ method: "get", sql: "select length(group_concat(hex(zeroblob(100000)))) " +
      "from (with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) " +
      "select i from n)" }).error?.code);
    console.log(call({ method: "run", sql: "insert into t values (2, 'free')" }).error?.code);
  )js",
                                                   std::move(options));
  EXPECT_EQ(report.transactionEnded, !small.inTransaction());
  if (report.transactionEnded) {
    EXPECT_EQ(report.end, End::Threw);
    EXPECT_EQ(written_, "limit-exceeded\nconflict\n");
  } else {
    EXPECT_EQ(written_, "limit-exceeded\nundefined\n");
    small.execute("rollback", Rules::Host);
  }
  EXPECT_EQ(idsIn(small), "");
}

TEST_F(RunningWithin, LeavesNoCursorsBehind) {
  const RunReport report = run(R"js(
    const { transaction } = call({ method: "begin" });
    ask("insert into t values (2, 'dropped')", transaction);
    const inner = ask("select id from t", transaction, "iterate").cursor;
    if (!inner) throw new Error("no cursor");
    call({ method: "rollback", transaction });
    if (!ask("select id from t union all select 5", undefined, "iterate").cursor) throw new Error("none");
    if (!ask("select a from t union all select 5", undefined, "iterate").cursor) throw new Error("none");
  )js",
                               Limits{.cursorBatchRowsMax = 1});
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  expectOpen(report);
  EXPECT_EQ(ids(), "1");
  host("drop table child");  // Not while a statement is open.
  host("drop table t");
  host("commit");
}

TEST_F(RunningWithin, ReadsOnBesideTransactionsOfALoop) {
  const RunReport report = run(R"js(
    for (let id = 2; id <= 5000; ++id) await db.run(`insert into t values (${id}, ${id})`);
    let seen = 0;
    for await (const [id] of db.iterate("select id from t order by id")) {
      seen += 1;
      await db.transaction(async (tx) => {
        await tx.run(`update t set a = 'x${id}' where id = ${id}`);
        if (id % 2 === 0) throw new Error("not this one");
      }).catch(() => {});
    }
    console.log(seen, (await db.values("select count(*) from t where a like 'x%'"))[0][0]);
  )js");
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_, "5000 2500\n");
  expectOpen(report);
}

TEST_F(RunningWithin, RollsBackWhatWasLeftOpen) {
  const RunReport report = run(R"js(
    ask("insert into t values (2, 'kept')");
    const { transaction } = call({ method: "begin" });
    ask("insert into t values (3, 'dropped')", transaction);
    const inner = call({ method: "begin", transaction }).transaction;
    ask("insert into t values (4, 'dropped')", inner);
  )js");
  EXPECT_EQ(report.end, End::Answered);
  EXPECT_EQ(report.rolledBack, 2u);
  expectOpen(report);
  EXPECT_EQ(ids(), "1,2");
  EXPECT_THROW(host("release schemascript"), Error);
}

TEST_F(RunningWithin, LeavesTheTransactionOpenHoweverItEnds) {
  const std::pair<std::string_view, End> ends[] = {
      {"throw new Error('mine')", End::Threw},
      {"syntax error", End::Threw},
      {"await new Promise(() => {})", End::NeverSettles},
      {"for (;;) {}", End::TimeExceeded},
      {"new Array(3e7) + ''", End::TimeExceeded},
      {"setTimeout(() => {}, 1e6)", End::TimeExceeded},
      {"ask('with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n',"
       " transaction)",
       End::TimeExceeded},
      {"const all = []; for (;;) all.push('x'.repeat(1e5) + all.length)", End::MemoryExceeded},
  };
  const std::string open = R"js(
    ask("insert into t values (2, 'app')");
    ask("select 1 union all select 2", undefined, "iterate");
    const { transaction } = call({ method: "begin" });
    ask("insert into t values (3, 'app')", transaction);
  )js";
  for (const auto& [source, end] : ends) {
    Limits limits = withTime(end == End::TimeExceeded ? 60ms : 30'000ms);
    limits.cursorBatchRowsMax = 1;
    const bool isRun = source != "syntax error";
    const RunReport report = run(str(open, source, ';'), limits);
    EXPECT_EQ(report.end, end) << source;
    expectOpen(report);
    EXPECT_EQ(report.rolledBack, isRun ? 1u : 0u) << source;
    EXPECT_EQ(ids(), isRun ? "1,2" : "1") << source;
    expectRollsBack();
    database_.startRun(1s);
    begin();
  }
}

TEST_F(RunningWithin, TellsThatTheEndOfItsTimeEndedTheTransaction) {
  const RunReport report = run(R"js(
    ask("with recursive n(i) as (select 2 union all select i + 1 from n) insert into t select i, i from n");
  )js",
                               withTime(100ms));
  EXPECT_EQ(report.end, End::TimeExceeded);
  expectEnded(report);
}

TEST_F(RunningWithin, IsOverWhenSqlTimeIsAndTheConnectionIsTheHostsAgain) {
  Limits limits;
  limits.sqlTimeMax = 50ms;
  const RunReport report = run(R"js(
    ask("with recursive n(i) as (select 2 union all select i + 1 from n) select max(i) from n");
    say(ask("select 1"));
  )js",
                               limits);
  EXPECT_EQ(report.end, End::Answered);
  EXPECT_EQ(written_.substr(0, 14), "limit-exceeded") << written_;
  expectOpen(report);
  EXPECT_NO_THROW(database_.execute("update t set a = 'x'", Rules::Guest));
  EXPECT_EQ(ids(), "1");
}

TEST_F(RunningWithin, ObeysAnInterruptWhereverItIs) {
  for (const std::string_view source : {
           "say({}); for (;;) {}",
           "say({}); for (;;) { try { for (;;) ask('select 1'); } catch {} finally { continue; } }",
           "setTimeout(() => {}, 1e8); say({})",
           "say({}); for (;;) await null",
           "say({}); ask('with recursive n(i) as (select 1 union all select i + 1 from n) "
           "select max(i) from n')",
           "say({}); for (;;) ask('select 1')",
           "say({}); for (;;) await db.values('select 1')",
       }) {
    std::jthread stopper;
    RunOptions options;
    options.limits = limitsOfMigration({});
    options.log = [this, &stopper](LogStream, std::string_view) {
      stopper = std::jthread([this] {
        std::this_thread::sleep_for(20ms);
        database_.interrupt();
      });
    };
    const auto begin = std::chrono::steady_clock::now();
    const RunReport report = run(source, std::move(options));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s) << source;
    EXPECT_EQ(report.end, End::Cancelled) << source;
    EXPECT_EQ(report.error.message, "it was interrupted");
    EXPECT_TRUE(database_.isInterrupted());
    expectOpen(report);
    expectRollsBack();
    database_.startRun(1s);
    this->begin();
  }
}

TEST_F(RunningWithin, ObeysAnInterruptThatCameBefore) {
  database_.interrupt();
  const RunReport report = run("ask(\"insert into t values (2, 'app')\"); for (;;) {}");
  EXPECT_EQ(report.end, End::Cancelled);
  expectOpen(report);
  EXPECT_TRUE(database_.isInterrupted());
  EXPECT_EQ(ids(), "1");
}

TEST_F(RunningWithin, TellsThatAnInterruptOfAWriteEndedTheTransaction) {
  std::jthread stopper;
  RunOptions options;
  options.log = [this, &stopper](LogStream, std::string_view) {
    stopper = std::jthread([this] {
      std::this_thread::sleep_for(50ms);
      database_.interrupt();
    });
  };
  const RunReport report = run(R"js(
    console.log("now");
    ask("with recursive n(i) as (select 2 union all select i + 1 from n) insert into t select i, i from n");
  )js",
                               std::move(options));
  EXPECT_EQ(report.end, End::Cancelled);
  expectEnded(report);
}

TEST_F(RunningWithin, KeepsTheRulesOfGuests) {
  const RunReport report = run(R"js(
    for (const sql of [
      "select * from __schemascript_applied", "insert into __schemascript_applied values ('x')",
      "drop table __schemascript_applied", "create view v as select * from __schemascript_applied",
      "attach 'b.db' as b", "vacuum", "vacuum into 'b.db'", "pragma foreign_keys = on",
      "pragma journal_mode = delete", "pragma writable_schema = 1", "pragma user_version = 7",
      "create temp table x (a)", "insert into sqlite_schema values (1, 2, 3, 4, 5)",
    ]) {
      const { error } = ask(sql);
      if (!error) console.log(sql);
    }
    say(ask("pragma foreign_keys"));
    say(ask("insert into child values (77)"));
    say(ask("pragma defer_foreign_keys = on"));
  )js");
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_, "[ [ 0 ] ]\n[]\n[]\n");
  expectOpen(report);
}

TEST_F(RunningWithin, PushesNothing) {
  const RunReport report = run("say(call({ method: 'push', sql: 'create table pushed (a)' }))");
  EXPECT_EQ(report.end, End::Answered);
  EXPECT_EQ(written_, "not-allowed: this run may not push a schema\n");
  RunOptions options;
  options.push = PushWhen::AtEnd;
  expectError(ErrorCode::Internal, errorOf([&] { run("1", options); }).message(),
              [&] { run("1", options); });
  expectOpen(report);
}

TEST_F(RunningWithin, WritesNothingWhenItMayOnlyRead) {
  RunOptions options;
  options.readOnly = true;
  const RunReport report = run(R"js(
    say(ask("insert into t values (2, 'app')"));
    await db.transaction((tx) => tx.values("select id from t")).then((rows) => console.log(rows));
  )js",
                               std::move(options));
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_, "not-allowed: this session may only read\n[ [ 1 ] ]\n");
  expectOpen(report);
}

// A statement that was compiled in one transaction is used in the next.
TEST_F(RunningWithin, UsesStatementsAgainInTheNextTransaction) {
  for (int round = 0; round < 3; ++round) {
    const RunReport report = run(R"js(
      await db.run("insert into t values (2, 'two')");
      await db.transaction((tx) => tx.run("insert into t values (3, 'three')"));
    )js");
    EXPECT_EQ(report.end, End::Answered) << report.error.message;
    expectOpen(report);
    EXPECT_EQ(ids(), "1,2,3");
    expectRollsBack();
    if (round == 1) host("create table between_them (a)");  // Compiled anew.
    begin();
  }
  EXPECT_GT(database_.cacheCounters().hits, 2u);
}

TEST_F(RunningWithin, LeavesTheTransactionOpenWhenItsLogThrows) {
  RunOptions options;
  options.log = [](LogStream, std::string_view) { throw unavailable("the disk is full"); };
  expectError(ErrorCode::Unavailable, "the disk is full", [&] {
    run(R"js(
      ask("insert into t values (2, 'app')");
      ask("select 1 union all select 2", undefined, "iterate");
      const { transaction } = call({ method: "begin" });
      ask("insert into t values (3, 'app')", transaction);
      console.log("full");
    )js",
        options);
  });
  EXPECT_TRUE(database_.inTransaction());
  EXPECT_FALSE(database_.isAbandoned());
  EXPECT_EQ(ids(), "1,2");
  host("drop table child");
  host("drop table t");
  host("rollback");
}

TEST_F(RunningWithin, GivesTheConnectionBackAsItWas) {
  const auto before = Capabilities::parse({}, {});
  database_.useCapabilities(before);
  RunOptions options;
  options.boundValues = BoundValueDisplay::Shown;
  run("ask(\"insert into t values (2, 'app')\")", std::move(options));
  EXPECT_EQ(database_.capabilities(), before);
  EXPECT_FALSE(database_.showsBoundValues());
  EXPECT_EQ(ids(), "1,2");
  host("commit");  // It may again.
  EXPECT_EQ(committedIds(), "1,2");
}

TEST_F(RunningWithin, RunsInATransactionOnly) {
  host("rollback");
  EXPECT_EQ(errorOf([&] { run("ask(\"insert into t values (2, 'app')\")"); }).code(),
            ErrorCode::Internal);
  EXPECT_EQ(committedIds(), "");
}

TEST_F(RunningWithin, TellsHowFarItIs) {
  std::vector<RunProgress> told;
  std::thread::id seen;
  RunOptions options;
  options.limits = limitsOfMigration({});
  options.progress = [&](const RunProgress& progress) {
    told.push_back(progress);
    seen = std::this_thread::get_id();
  };
  const RunReport report = run(R"js(
    const begin = performance.now();
    // One statement that takes long, then many that do not.
    ask("with recursive n(i) as (select 2 union all select i + 1 from n where i < 400000) insert into t select i, i from n");
    console.log(Math.round(performance.now() - begin));
    let count = 0;
    while (performance.now() - begin < 1500) ask(`update t set a = 'x' where id = ${2 + count++}`);
    while (count % 2 === 0) { ask("update t set a = 'y' where id = 2"); ++count; }
    console.log(count);
  )js",
                               std::move(options));
  ASSERT_EQ(report.end, End::Answered) << report.error.message;
  ASSERT_GE(told.size(), 5u);
  EXPECT_LE(told.size(), static_cast<std::size_t>(report.done.elapsed / 100ms));
  EXPECT_NE(seen, std::this_thread::get_id());
  EXPECT_EQ(told.front().statements, 1u);
  EXPECT_GT(told.front().rows, 0u);
  EXPECT_LT(told.front().rows, 399'999u) << "the statement has not ended";
  EXPECT_GT(told.back().statements, 2u);
  EXPECT_GE(told.back().rows, 399'999u);
  for (std::size_t i = 1; i < told.size(); ++i) {
    EXPECT_GE(told[i].rows, told[i - 1].rows);
    EXPECT_GE(told[i].statements, told[i - 1].statements);
    EXPECT_GE(told[i].elapsed, told[i - 1].elapsed + 90ms);
  }
  EXPECT_GT(report.done.statements, told.back().statements);
}

TEST_F(RunningWithin, CountsWhatItHasDone) {
  const RunReport report = run(R"js(
    ask("create table w (a primary key) without rowid");
    ask("insert into w values (1), (2), (3)");
    ask("create trigger more after insert on t begin update w set a = a + 10; end");
    ask("insert into t values (2, 'app')");
  )js");
  EXPECT_EQ(report.done.statements, 4u);
  EXPECT_EQ(report.done.rows, 3u + 1 + 3);
  EXPECT_EQ(run("1").done.statements, 0u);
  EXPECT_EQ(run("1").done.rows, 0u);
  EXPECT_EQ(run("call({ method: 'push', sql: 'create table x (a)' })").done.rows, 0u);
}

TEST_F(RunningWithin, MayTakeAsLongAsAMigrationTakes) {
  Limits limits;
  limits.runTimeMax = 1ms;
  limits.sqlTimeMax = 1ms;
  limits.fuelMax = 10;
  limits.statementsMax = 1;
  limits.callRowsMax = 1;
  limits.callResultBytesMax = 1;
  limits.logBytesMax = 1;
  limits.resultRowsMax = 10;
  const std::string_view source = R"js(
    for (let count = 0; count < 100; ++count) {
      await db.values("select * from t union all select 1, 2 union all select 3, 4");
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    console.log("a line that is longer than a byte");
  )js";
  EXPECT_NE(run(source, limits).end, End::Answered);
  host("rollback");
  database_.startRun(1s);
  begin();
  written_.clear();
  const RunReport report = run(source, limitsOfMigration(limits));
  EXPECT_EQ(report.end, End::Answered) << report.error.message;
  EXPECT_EQ(written_, "a line that is longer than a byte\n");
  EXPECT_EQ(limitsOfMigration(limits).resultRowsMax, 10u);
  EXPECT_EQ(limitsOfMigration(limits).memoryBytesMax, limits.memoryBytesMax);
}

}  // namespace
}  // namespace schemascript
