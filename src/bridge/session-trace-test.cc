// What a session tells its trace sink.
#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/testing.h"
#include "bridge/session.h"
#include "database/connection-pool.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

class SessionTraceTest : public testing::Test {
 protected:
  SessionTraceTest() {
    pool_.lend()->execute("create table t (id integer primary key, a unique)", Rules::Guest);
  }

  StatementSink gather() {
    return [this](const TracedStatement& statement) { told_.push_back(statement); };
  }

  static std::string send(Session& session, std::string_view request) {
    const std::uint32_t length = session.query(std::as_bytes(std::span(request)));
    std::string answer(length, '\0');
    EXPECT_EQ(session.copyResult(std::as_writable_bytes(std::span(answer))), length);
    return answer;
  }
  std::string send(std::string_view request) { return send(session_, request); }

  static std::string request(std::string_view method, std::string_view sql,
                             std::string_view more = "") {
    return str(R"J({"method":")J", method, R"J(","sql":")J", sql, '"', more, '}');
  }
  std::string ask(std::string_view method, std::string_view sql, std::string_view more = "") {
    return send(request(method, sql, more));
  }
  static std::string batch(std::initializer_list<std::string_view> sql) {
    std::string steps;
    for (const std::string_view each : sql) {
      steps += str(steps.empty() ? "" : ",", request("run", each));
    }
    return str(R"J({"method":"batch","steps":[)J", steps, "]}");
  }

  // `1: select 1 (2 rows)` each, with the transaction and what came of it. What was told is
  // dropped.
  std::vector<std::string> told() {
    std::vector<std::string> lines;
    for (const TracedStatement& each : told_) {
      const auto transaction =
          static_cast<std::uint32_t>(each.transaction.value_or(TransactionHandle{}));
      const std::string outcome = outcomeOf(each);
      lines.push_back(str(transaction == 0 ? "" : str(transaction, ": "), each.sql,
                          outcome.empty() ? "" : str(" (", outcome, ")")));
    }
    told_.clear();
    return lines;
  }
  using Lines = std::vector<std::string>;

  ConnectionPool pool_{{}};
  std::vector<TracedStatement> told_;
  Session session_{pool_, {.trace = gather()}};
};

TEST_F(SessionTraceTest, TellsOfEachStatement) {
  ask("run", "insert into t (a) values (1), (2)");
  ask("all", "select a from t");
  ask("get", "select a from t where a = 7");
  ask("values", "select a from t where a = 2");
  ask("run", "delete from t returning id");
  ask("run", "update t set a = 1");
  EXPECT_EQ(told(),
            (Lines{"insert into t (a) values (1), (2) (2 changes)", "select a from t (2 rows)",
                   "select a from t where a = 7 (0 rows)", "select a from t where a = 2 (1 row)",
                   "delete from t returning id (2 rows)", "update t set a = 1 (0 changes)"}));
}

TEST_F(SessionTraceTest, TellsRowsAndChangesApart) {
  ask("run", "insert into t (a) values (1), (2) returning id");
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].rows, 2u);
  EXPECT_EQ(told_[0].changes, 2);
  EXPECT_EQ(told_[0].method, Method::Run);
  EXPECT_FALSE(told_[0].transaction);
}

TEST_F(SessionTraceTest, TellsOfTransactionsAndSavepoints) {
  send(R"J({"method":"begin","behavior":"deferred"})J");
  ask("all", "select 1", R"J(,"transaction":1)J");
  send(R"J({"method":"begin","transaction":1})J");
  ask("run", "delete from t", R"J(,"transaction":2)J");
  send(R"J({"method":"rollback","transaction":2})J");
  send(R"J({"method":"begin","transaction":1})J");
  send(R"J({"method":"commit","transaction":3})J");
  send(R"J({"method":"commit","transaction":1})J");
  send(R"J({"method":"begin","behavior":"exclusive"})J");
  send(R"J({"method":"rollback","transaction":4})J");
  EXPECT_EQ(told(), (Lines{"1: begin deferred", "1: select 1 (1 row)", "2: savepoint schemascript",
                           "2: delete from t (0 changes)", "2: rollback to schemascript",
                           "3: savepoint schemascript", "3: release schemascript", "1: commit",
                           "4: begin exclusive", "4: rollback"}));
}

TEST_F(SessionTraceTest, TellsOfEachStatementOfABatch) {
  send(batch({"insert into t (a) values (1)", "select a from t"}));
  EXPECT_EQ(told(), (Lines{"1: begin immediate", "1: insert into t (a) values (1) (1 change)",
                           "1: select a from t (1 row)", "1: commit"}));
  send(batch({"select a from t"}));
  EXPECT_EQ(told().front(), "2: begin deferred");
}

TEST_F(SessionTraceTest, TellsWhereABatchFailed) {
  send(batch({"insert into t (a) values (1)", "insert into t (a) values (1)", "select 1"}));
  ASSERT_EQ(told_.size(), 4u);
  EXPECT_EQ(told_[2].error, "t.a must be unique (SQLITE_CONSTRAINT_UNIQUE)");
  EXPECT_EQ(told(), (Lines{"1: begin immediate", "1: insert into t (a) values (1) (1 change)",
                           "1: insert into t (a) values (1) (failed)", "1: rollback"}));
}

TEST_F(SessionTraceTest, TellsOfMoreThanItKeeps) {
  std::string steps;
  constexpr int kSteps = 2'500;
  for (int i = 0; i < kSteps; ++i)
    steps += str(i == 0 ? "" : ",", request("all", str("select ", i)));
  send(str(R"J({"method":"batch","steps":[)J", steps, "]}"));
  ASSERT_EQ(told_.size(), kSteps + 2u);
  for (int i = 0; i < kSteps; ++i) {
    EXPECT_EQ(told_[static_cast<std::size_t>(i) + 1].sql, str("select ", i));
  }
}

TEST_F(SessionTraceTest, TellsWhyAStatementFailed) {
  ask("all", "select nmae from t");
  ask("run", "begin");
  send(request("run", "insert into t (id) values (?)", R"J(,"params":["x"])J"));
  ASSERT_EQ(told_.size(), 3u);
  EXPECT_EQ(told_[0].error, "no such column: nmae at line 1, column 8");
  EXPECT_EQ(told_[1].error,
            "transactions are not opened or ended by SQL; use db.transaction(async (tx) => ...)");
  EXPECT_NE(told_[2].error, "");
  EXPECT_EQ(told_[2].error.find("values"), std::string::npos);
}

// The statement itself has succeeded by then.
TEST_F(SessionTraceTest, TellsWhenTheAnswerFails) {
  Session session(pool_, {.limits = {.resultRowsMax = 1}, .trace = gather()});
  send(session, request("all", "insert into t (a) values (1), (2) returning a"));
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_NE(told_[0].error.find("resultRowsMax"), std::string::npos) << told_[0].error;
  EXPECT_EQ(told_[0].changes, 0);
}

TEST_F(SessionTraceTest, SaysNothingOfWhatIsRefusedBefore) {
  send("nonsense");
  ask("run", "select 1", R"J(,"transaction":9)J");
  send(R"J({"method":"commit","transaction":9})J");
  EXPECT_EQ(told(), Lines{});
}

TEST_F(SessionTraceTest, ShowsValuesOnlyWhenAsked) {
  const std::string insert =
      request("run", "insert into t (id, a) values (?, ?)", R"J(,"params":[7,"Ada"])J");
  send(insert);
  EXPECT_EQ(told_.at(0).values, "");
  told_.clear();
  Session session(pool_, {.boundValues = BoundValueDisplay::Shown, .trace = gather()});
  send(session, insert);
  EXPECT_EQ(told_.at(0).values, R"J([7, "Ada"])J");
  EXPECT_EQ(told_.at(0).error, "t.id must be unique (SQLITE_CONSTRAINT_PRIMARYKEY)");
  send(session, request("all", "select 1"));
  EXPECT_EQ(told_.at(1).values, "");
  send(session,
       request("all", "select ?", str(R"J(,"params":[")J", std::string(5'000, 'x'), "\"]")));
  EXPECT_LT(told_.at(2).values.size(), 100u);
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += str(i == 0 ? "" : ",", R"J("0123456789")J");
  send(session, request("all",
                        str(
                            "select 1 where 'x' in (?",
                            [] {
                              std::string marks;
                              for (int i = 1; i < 1'000; ++i) marks += ",?";
                              return marks;
                            }(),
                            ")"),
                        str(R"J(,"params":[)J", many, "]")));
  EXPECT_LT(told_.at(3).values.size(), 600u);
}

TEST_F(SessionTraceTest, TellsOfACursorOnceItIsClosed) {
  const std::string ten =
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) "
      "select i from n";
  Session session(pool_, {.limits = {.cursorBatchRowsMax = 400}, .trace = gather()});
  send(session, request("iterate", ten));
  EXPECT_EQ(told_.size(), 0u);
  send(session, request("all", "select 1"));
  send(session, R"J({"method":"fetch","cursor":1})J");
  EXPECT_EQ(told(), Lines{"select 1 (1 row)"});
  send(session, R"J({"method":"fetch","cursor":1})J");
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].rows, 1'000u);
  EXPECT_EQ(told_[0].method, Method::Iterate);
  EXPECT_TRUE(told_[0].hasRows);
  told_.clear();
  // Closed by the guest, and by its end.
  send(session, request("iterate", ten));
  send(session, R"J({"method":"close","cursor":2})J");
  EXPECT_EQ(told_.at(0).rows, 400u);
  send(session, request("iterate", ten));
  session.finish();
  EXPECT_EQ(told_.at(1).rows, 400u);
  EXPECT_EQ(told_.size(), 2u);
}

TEST_F(SessionTraceTest, TellsOfCursorsThatATransactionCloses) {
  Session session(pool_, {.limits = {.cursorBatchRowsMax = 1}, .trace = gather()});
  send(session, R"J({"method":"begin"})J");
  send(session, request("iterate", "values (1), (2)", R"J(,"transaction":1)J"));
  send(session, R"J({"method":"rollback","transaction":1})J");
  EXPECT_EQ(told(), (Lines{"1: begin immediate", "1: rollback", "1: values (1), (2) (1 row)"}));
}

TEST_F(SessionTraceTest, TellsWhyACursorFailed) {
  Session session(pool_, {.limits = {.cursorBatchRowsMax = 1}, .trace = gather()});
  send(session, request("iterate",
                        "select abs(x) from (select 1 x union all "
                        "select -9223372036854775807 - 1)"));
  EXPECT_EQ(told_.size(), 0u);
  send(session, R"J({"method":"fetch","cursor":1})J");
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_NE(told_[0].error.find("integer overflow"), std::string::npos) << told_[0].error;
  EXPECT_EQ(told_[0].rows, 1u);
  ask("iterate", "delete from t");
  EXPECT_EQ(told_.at(1).error, "iterate is for statements that only read; use all()");
}

TEST_F(SessionTraceTest, TellsWhatWasCompiled) {
  for (int i = 0; i < 2; ++i) ask("all", "select 1 + 1");
  send(batch({"select 1 + 1", "select 2 + 2", "select 2 + 2"}));
  std::vector<bool> compiled;
  for (const TracedStatement& each : told_) compiled.push_back(each.compiled);
  EXPECT_EQ(compiled, (std::vector<bool>{true, false, false, false, true, false, false}));
}

TEST_F(SessionTraceTest, TellsOfAPushOnce) {
  Session session(pool_, {.pusher =
                              [](Database& database, std::string_view sql) {
                                database.execute(sql, Rules::Host);
                                return PushResult{};
                              },
                          .trace = gather()});
  send(session, R"J({"method":"push","sql":"create table u (b)"})J");
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].method, Method::Push);
  EXPECT_EQ(told_[0].sql, "create table u (b)");
  EXPECT_EQ(outcomeOf(told_[0]), "");
  send(session, R"J({"method":"push","sql":"create table u (b)"})J");
  EXPECT_NE(told_.at(1).error.find("already exists"), std::string::npos);
}

TEST_F(SessionTraceTest, TellsWaitingForItsTurnApart) {
  Session other(pool_, {});
  send(other, R"J({"method":"begin"})J");
  std::thread ends([&] {
    std::this_thread::sleep_for(50ms);
    other.finish();
  });
  ask("run", "delete from t");
  ends.join();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_GE(told_[0].waited, 20ms);
  EXPECT_GE(told_[0].took, told_[0].waited);
  ask("run", "delete from t");
  EXPECT_LT(told_.at(1).waited, 20ms);
  EXPECT_GT(told_.at(1).took, 0ns);
}

// Another process, as far as SQLite is concerned.
TEST_F(SessionTraceTest, TellsWaitingForLocksApart) {
  const TemporaryFolder folder;
  ConnectionPool pool({.file = folder / "a.db"});
  Database other({.file = folder / "a.db"});
  other.execute("create table t (a)", Rules::Host);
  other.execute("begin immediate", Rules::Host);
  std::thread ends([&] {
    std::this_thread::sleep_for(50ms);
    other.execute("commit", Rules::Host);
  });
  Session session(pool, {.trace = gather()});
  send(session, request("run", "insert into t values (1)"));
  ends.join();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_GE(told_[0].waited, 20ms);
  EXPECT_GE(told_[0].took, told_[0].waited);
  EXPECT_EQ(told_[0].error, "");
}

TEST_F(SessionTraceTest, TellsOfTheStatementThatWasInterrupted) {
  std::thread stops([this] {
    std::this_thread::sleep_for(30ms);
    session_.interrupt();
  });
  EXPECT_THROW(ask("all",
                   "with recursive n(i) as (select 1 union all select i + 1 from n) "
                   "select count(*) from n"),
               LimitExceeded);
  stops.join();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_NE(told_[0].error.find("runTimeMax"), std::string::npos);
  EXPECT_GE(told_[0].took, 10ms);
}

// The request is done all the same, and the sink is not called again.
TEST_F(SessionTraceTest, EndsWithWhatTheSinkThrows) {
  int calls = 0;
  Session session(pool_, {.trace = [&calls](const TracedStatement&) {
                    ++calls;
                    throw unavailable("the disk is full");
                  }});
  try {
    send(session, batch({"insert into t (a) values (1)", "insert into t (a) values (2)"}));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "the disk is full");
  }
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(session.finish(), 0u);
  EXPECT_EQ(calls, 1);
  EXPECT_NE(ask("all", "select count(*) from t").find("[[2]]"), std::string::npos);
}

TEST_F(SessionTraceTest, EndsWithWhatTheSinkThrowsAtTheEnd) {
  Session session(pool_, {.limits = {.cursorBatchRowsMax = 1},
                          .trace = [](const TracedStatement&) { throw std::runtime_error("no"); }});
  send(session, request("iterate", "values (1), (2)"));
  EXPECT_THROW(session.finish(), std::runtime_error);
  EXPECT_EQ(pool_.counters().lent, 0u);
}

// The sink may be slow: it is called when others may write again.
TEST_F(SessionTraceTest, CallsTheSinkWithoutTheTurnToWrite) {
  bool wrote = false;
  Session other(pool_, {});
  Session session(pool_, {.trace = [&](const TracedStatement&) {
                    wrote =
                        send(other, request("run", "insert into t (a) values (8)")).find("error") ==
                        std::string::npos;
                  }});
  send(session, request("run", "insert into t (a) values (9)"));
  EXPECT_TRUE(wrote);
}

}  // namespace
}  // namespace schemascript
