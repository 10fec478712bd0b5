// What all requests of a session together may take: just inside, just outside, and what still works
// then.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/testing.h"
#include "bridge/session.h"
#include "database/connection-pool.h"

namespace schemascript {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Without end, in small instructions.
constexpr std::string_view kForever =
    "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n";

class SessionLimitsTest : public testing::Test {
 protected:
  SessionLimitsTest() {
    pool_.lend()->execute("create table t (id integer primary key, a)", Rules::Guest);
    pool_.lend()->execute("insert into t (a) values (1), (2), (3), (4)", Rules::Guest);
  }

  static std::string send(Session& session, std::string_view request) {
    const std::uint32_t length = session.query(std::as_bytes(std::span(request)));
    std::string answer(length, '\0');
    EXPECT_EQ(session.copyResult(std::as_writable_bytes(std::span(answer))), length);
    return answer;
  }
  static std::string request(std::string_view method, std::string_view sql, int transaction = 0) {
    return str(R"J({"method":")J", method, R"J(","sql":")J", sql, '"',
               transaction == 0 ? "" : str(R"J(,"transaction":)J", transaction), '}');
  }
  static std::string ask(Session& session, std::string_view sql, int transaction = 0) {
    return send(session, request("all", sql, transaction));
  }
  static std::string batch(std::initializer_list<std::string_view> statements,
                           int transaction = 0) {
    std::string steps;
    for (const std::string_view sql : statements) {
      steps += str(steps.empty() ? "" : ",", R"J({"method":"all","sql":")J", sql, "\"}");
    }
    return str(R"J({"method":"batch","steps":[)J", steps, ']',
               transaction == 0 ? "" : str(R"J(,"transaction":)J", transaction), '}');
  }
  static std::string begin(Session& session) {
    return send(session, R"J({"method":"begin","behavior":"immediate"})J");
  }
  static std::string end(Session& session, std::string_view method, int transaction) {
    return send(session,
                str(R"J({"method":")J", method, R"J(","transaction":)J", transaction, '}'));
  }
  static std::string onCursor(Session& session, std::string_view method) {
    return send(session, str(R"J({"method":")J", method, R"J(","cursor":1})J"));
  }
  static std::string limitError(std::string_view message) {
    return str(R"J({"error":{"code":"limit-exceeded","message":")J", message, "\"}}");
  }
  static bool names(std::string_view answer, std::string_view limit) {
    return answer.starts_with(R"J({"error":{"code":"limit-exceeded")J") &&
           answer.find(limit) != std::string_view::npos;
  }
  std::string countOfRows() {
    Session other(pool_, {});
    return ask(other, "select count(*) from t");
  }
  static std::string count(int rows) {
    return str(R"J({"rows":[[)J", rows, R"J(]],"changes":0,"lastInsertRowid":0})J");
  }

  const TemporaryFolder folder_;
  ConnectionPool pool_{{.file = folder_ / "a.db"}};
};

TEST_F(SessionLimitsTest, CostCountsStatementsRowsAndBytes) {
  Session session(pool_, {});
  EXPECT_EQ(session.cost().statements, 0u);
  std::uint64_t bytes = begin(session).size();
  bytes += ask(session, "select * from t", 1).size();
  bytes += send(session, batch({"select * from t", "delete from t where id = 1"}, 1)).size();
  bytes += ask(session, "select nonsense", 1).size();
  bytes += end(session, "commit", 1).size();
  bytes += send(session, "nonsense").size();
  const SessionCost cost = session.cost();
  EXPECT_EQ(cost.statements, 5u);
  EXPECT_EQ(cost.rows, 8u);
  EXPECT_EQ(cost.answerBytes, bytes);
  EXPECT_GT(cost.sqlTime, std::chrono::nanoseconds(0));
  session.finish();
  EXPECT_EQ(session.cost().sqlTime, cost.sqlTime);
}

TEST_F(SessionLimitsTest, CostIsTheSameEachTime) {
  const auto costOfOne = [this] {
    Session session(pool_, {});
    ask(session, "select * from t order by a desc");
    return session.cost();
  };
  const SessionCost first = costOfOne();
  const SessionCost second = costOfOne();
  EXPECT_EQ(first.statements, second.statements);
  EXPECT_EQ(first.rows, second.rows);
  EXPECT_EQ(first.answerBytes, second.answerBytes);
}

TEST_F(SessionLimitsTest, StatementsEndAtTheirNumber) {
  Session session(pool_, {.limits = {.statementsMax = 3}});
  begin(session);
  EXPECT_EQ(ask(session, "delete from t where id = 1", 1),
            R"J({"rows":[],"changes":1,"lastInsertRowid":0})J");
  EXPECT_EQ(ask(session, "select count(*) from t", 1), count(3));
  const std::string error = limitError(
      "this call has run 3 statements and asks for 1 more; statementsMax is 3; do more in each "
      "statement");
  EXPECT_EQ(ask(session, "select 1", 1), error);
  EXPECT_EQ(send(session, request("iterate", "select 1", 1)), error);
  EXPECT_EQ(begin(session), error);
  EXPECT_EQ(session.cost().statements, 3u);
  EXPECT_EQ(end(session, "commit", 1), "{}");
  EXPECT_EQ(countOfRows(), count(3));
}

TEST_F(SessionLimitsTest, ABatchBeyondStatementsMaxDoesNothing) {
  Session session(pool_, {.limits = {.statementsMax = 3}});
  EXPECT_EQ(ask(session, "select count(*) from t"), count(4));
  EXPECT_TRUE(
      names(send(session, batch({"delete from t", "select 1", "select 2"})), "statementsMax is 3"));
  EXPECT_EQ(countOfRows(), count(4));
  // What is still inside is done.
  EXPECT_FALSE(names(send(session, batch({"delete from t where id = 1", "select 1"})), "Max"));
  EXPECT_EQ(countOfRows(), count(3));
  EXPECT_TRUE(names(ask(session, "select 1"), "statementsMax is 3"));
}

TEST_F(SessionLimitsTest, FetchIsNoStatement) {
  Session session(pool_, {.limits = {.statementsMax = 1, .cursorBatchRowsMax = 3}});
  send(session, request("iterate", "select id from t"));
  EXPECT_EQ(onCursor(session, "fetch").substr(0, 13), R"J({"rows":[[4]])J");
}

TEST_F(SessionLimitsTest, RowsEndAtTheirNumber) {
  Session session(pool_, {.limits = {.callRowsMax = 5, .cursorBatchRowsMax = 2}});
  ask(session, "select * from t");
  EXPECT_EQ(ask(session, "select count(*) from t"), count(4));
  EXPECT_EQ(session.cost().rows, 5u);
  // Without rows, one more.
  EXPECT_EQ(ask(session, "delete from t where id = 1"),
            R"J({"rows":[],"changes":1,"lastInsertRowid":0})J");
  begin(session);
  const std::string error =
      limitError("the answers of this call have more rows than callRowsMax, 5; ask for fewer");
  EXPECT_EQ(ask(session, "select 1", 1), error);
  // From now on nothing more, also what would answer no row.
  EXPECT_EQ(ask(session, "delete from t", 1), error);
  EXPECT_EQ(send(session, batch({"delete from t"}, 1)), error);
  EXPECT_EQ(end(session, "rollback", 1), "{}");
  EXPECT_EQ(countOfRows(), count(3));
}

TEST_F(SessionLimitsTest, AWriteWhoseRowsAreTooManyIsUndone) {
  Session session(pool_, {.limits = {.callRowsMax = 3}});
  EXPECT_TRUE(names(ask(session, "delete from t returning id"), "callRowsMax, 3"));
  EXPECT_EQ(countOfRows(), count(4));
  Session other(pool_, {.limits = {.callRowsMax = 4}});
  EXPECT_TRUE(names(send(other, batch({"delete from t returning id", "select 1"})),
                    "statement 2 of the batch: the answers of this call have more rows than "
                    "callRowsMax, 4"));
  EXPECT_EQ(countOfRows(), count(4));
}

TEST_F(SessionLimitsTest, RowsOfCursorsCount) {
  Session session(pool_, {.limits = {.callRowsMax = 3, .cursorBatchRowsMax = 2}});
  EXPECT_FALSE(names(send(session, request("iterate", "select id from t")), "callRowsMax"));
  EXPECT_TRUE(names(onCursor(session, "fetch"), "callRowsMax, 3"));
  EXPECT_TRUE(names(onCursor(session, "fetch"), "callRowsMax, 3"));
  EXPECT_EQ(onCursor(session, "close"), "{}");
}

TEST_F(SessionLimitsTest, BytesEndAtTheirNumber) {
  const std::string answer = ask(*std::make_unique<Session>(pool_, SessionOptions{}), "select 1");
  // As far as its only row goes.
  const std::uint64_t rowBytes = answer.find(",\"changes\"") - 1;
  Session session(pool_, {.limits = {.callResultBytesMax = 2 * answer.size() + rowBytes}});
  EXPECT_EQ(ask(session, "select 1"), answer);
  EXPECT_EQ(ask(session, "select 1"), answer);
  EXPECT_EQ(ask(session, "select 1"), answer);
  const std::string message = str("the answers of this call are longer than callResultBytesMax (",
                                  2 * answer.size() + rowBytes, "b); ask for less");
  EXPECT_EQ(ask(session, "delete from t"), limitError(message));

  Session outside(pool_, {.limits = {.callResultBytesMax = 2 * answer.size() + rowBytes - 1}});
  begin(outside);
  end(outside, "rollback", 1);
  const std::uint64_t left =
      2 * answer.size() + rowBytes - 1 - static_cast<std::uint64_t>(outside.cost().answerBytes);
  const std::string most = str("select '", std::string(left, 'x'), "'");
  EXPECT_TRUE(names(ask(outside, most), "callResultBytesMax"));
  EXPECT_TRUE(names(ask(outside, "select 1"), "callResultBytesMax"));
  EXPECT_EQ(countOfRows(), count(4));
}

TEST_F(SessionLimitsTest, AWriteWhoseBytesAreTooManyIsUndone) {
  Session session(pool_, {.limits = {.callResultBytesMax = 1'000}});
  EXPECT_TRUE(names(ask(session, "update t set a = hex(zeroblob(200)) returning a"),
                    "callResultBytesMax (1000b)"));
  Session other(pool_, {});
  EXPECT_EQ(ask(other, "select count(*) from t where a < 10"), count(4));
}

TEST_F(SessionLimitsTest, TimeEndsAStatementAndTheGuestGoesOn) {
  Session session(pool_, {.limits = {.sqlTimeMax = milliseconds(100)}});
  const std::string error =
      limitError("the statements of this call have taken all of their time: sqlTimeMax is 100ms");
  begin(session);
  ask(session, "delete from t where id = 1", 1);
  EXPECT_EQ(ask(session, kForever, 1), error);
  EXPECT_GE(session.cost().sqlTime, milliseconds(100));
  EXPECT_LT(session.cost().sqlTime, seconds(3));
  EXPECT_EQ(ask(session, "select 1", 1), error);
  EXPECT_EQ(ask(session, "select 1"), error);
  EXPECT_EQ(send(session, batch({"select 1"})), error);
  EXPECT_EQ(end(session, "commit", 1), "{}");
  EXPECT_EQ(countOfRows(), count(3));
  // The connection serves the next guest.
  session.finish();
  Session next(pool_, {});
  EXPECT_EQ(ask(next, "select count(*) from t"), count(3));
}

TEST_F(SessionLimitsTest, TimeOfAllStatementsCountsTogether) {
  Session session(pool_, {.limits = {.sqlTimeMax = milliseconds(200)}});
  const std::string some =
      "with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000) select "
      "count(*) from n";
  int runs = 0;
  while (!names(ask(session, some), "sqlTimeMax is 200ms")) ASSERT_LT(++runs, 1'000);
  EXPECT_GT(runs, 1);
}

TEST_F(SessionLimitsTest, TimeEndsAWriteAsAnInterruptDoes) {
  Session session(pool_, {.limits = {.sqlTimeMax = milliseconds(100)}});
  begin(session);
  ask(session, "delete from t where id = 1", 1);
  const std::string answer = ask(session, str("insert into t (a) ", kForever), 1);
  EXPECT_TRUE(names(answer, "sqlTimeMax is 100ms; the transaction was rolled back")) << answer;
  EXPECT_EQ(end(session, "rollback", 1), "{}");
  EXPECT_EQ(countOfRows(), count(4));
}

TEST_F(SessionLimitsTest, TimeEndsTheWaitForATurn) {
  Session first(pool_, {});
  begin(first);
  Session second(pool_, {.limits = {.sqlTimeMax = milliseconds(50)}});
  EXPECT_TRUE(names(ask(second, "delete from t"), "sqlTimeMax is 50ms"));
  EXPECT_TRUE(names(begin(second), "sqlTimeMax is 50ms"));
  EXPECT_EQ(pool_.writers().waitingCount(), 0u);
  EXPECT_EQ(end(first, "commit", 1), "{}");
  EXPECT_EQ(countOfRows(), count(4));
}

TEST_F(SessionLimitsTest, TimeEndsTheWaitForALock) {
  // Of another process, as far as SQLite knows.
  Database other({.file = folder_ / "a.db"});
  other.execute("begin immediate", Rules::Host);
  Session session(pool_, {.limits = {.sqlTimeMax = milliseconds(50)}});
  const auto since = std::chrono::steady_clock::now();
  EXPECT_TRUE(names(begin(session), "sqlTimeMax is 50ms"));
  EXPECT_LT(std::chrono::steady_clock::now() - since, seconds(2));
  Session writing(pool_, {.limits = {.sqlTimeMax = milliseconds(50)}});
  EXPECT_TRUE(names(ask(writing, "delete from t"), "sqlTimeMax is 50ms"));
  other.execute("rollback", Rules::Host);
  EXPECT_EQ(countOfRows(), count(4));
}

TEST_F(SessionLimitsTest, TimeOfCursorsCounts) {
  Session session(pool_, {.limits = {.sqlTimeMax = milliseconds(150), .cursorBatchRowsMax = 1}});
  const std::string slow = str("select (with recursive n (i) as (select 1 union all select i + 1 ",
                               "from n where i < 300000 + t.id) select count(*) from n) from t, ",
                               "t as u, t as v, t as w");
  std::string answer = send(session, request("iterate", slow));
  int fetched = 0;
  while (!names(answer, "sqlTimeMax is 150ms")) {
    ASSERT_TRUE(answer.starts_with(R"J({"rows":[[3)J")) << answer;
    ASSERT_LT(++fetched, 250);
    answer = onCursor(session, "fetch");
  }
  EXPECT_EQ(onCursor(session, "close"), "{}");
}

// While a cursor is open in its transaction, SQLite does not forget that it was interrupted.
TEST_F(SessionLimitsTest, AnInterruptBesideACursorEndsABatch) {
  Session session(pool_, {.limits = {.cursorBatchRowsMax = 1}});
  begin(session);
  ask(session, "delete from t where id = 1", 1);
  // The host's own statements are compiled then, which is interrupted, too.
  send(session, batch({"select 1", "nonsense"}, 1));
  send(session, request("iterate", "select id from t", 1));
  std::thread watchdog([&session] {
    std::this_thread::sleep_for(milliseconds(100));
    session.interrupt();
  });
  EXPECT_EQ(errorOf([&] { send(session, batch({"select 1", kForever}, 1)); }).code(),
            ErrorCode::LimitExceeded);
  watchdog.join();
  session.finish();
  EXPECT_EQ(countOfRows(), count(4));
}

TEST_F(SessionLimitsTest, TheEndOfTheTimeBesideACursorEndsABatch) {
  pool_.lend()->execute("create table large (a)", Rules::Guest);
  pool_.lend()->execute(
      "insert into large with recursive n (i) as (select 1 union all select i + 1 from n where i "
      "< 20000) select zeroblob(2000) from n",
      Rules::Guest);
  Session session(pool_, {.limits = {.sqlTimeMax = milliseconds(100), .cursorBatchRowsMax = 1}});
  begin(session);
  ask(session, "delete from t where id = 1", 1);
  send(session, request("iterate", "select id from t", 1));
  // Each one is a long instruction, which looks at SQLite's own flag only.
  const std::string counts = str("select sum((select count(*) from large where a is not null or ",
                                 "u.i > 0)) from (with recursive n (i) as (select 1 union all ",
                                 "select i + 1 from n) select i from n) as u");
  const std::string answer = send(session, batch({"delete from t where id = 2", counts}, 1));
  EXPECT_TRUE(names(answer, "statement 2 of the batch")) << answer;
  EXPECT_TRUE(names(answer, "sqlTimeMax is 100ms")) << answer;
  EXPECT_EQ(end(session, "commit", 1), "{}");
  EXPECT_EQ(countOfRows(), count(3));
}

TEST_F(SessionLimitsTest, LongTimesAreAsGoodAsNone) {
  Session session(pool_, {.limits = {.sqlTimeMax = milliseconds::max()}});
  EXPECT_EQ(ask(session, "select count(*) from t"), count(4));
  EXPECT_EQ(ask(session, "delete from t"), R"J({"rows":[],"changes":4,"lastInsertRowid":0})J");
}

}  // namespace
}  // namespace schemascript
