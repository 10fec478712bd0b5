// What a guest does at the same time: transactions, queries beside them, cursors, batches; and
// what two guests of one database do to each other.
#include <gtest/gtest.h>

#include <thread>

#include "base/testing.h"
#include "bridge/session.h"
#include "database/connection-pool.h"

namespace schemascript {
namespace {

using std::chrono::milliseconds;

// The same over a file and in memory.
class SessionConnectionsTest : public testing::TestWithParam<bool> {
 protected:
  SessionConnectionsTest() {
    ask("run", "create table t (id integer primary key, a)");
    ask("run", "insert into t values (1, 'one')");
  }

  static std::string send(Session& session, std::string_view request) {
    const std::uint32_t length = session.query(std::as_bytes(std::span(request)));
    std::string answer(length, '\0');
    EXPECT_EQ(session.copyResult(std::as_writable_bytes(std::span(answer))), length);
    return answer;
  }
  std::string send(std::string_view request) { return send(session_, request); }

  static std::string request(std::string_view method, std::string_view sql, int transaction = 0) {
    return str(R"J({"method":")J", method, R"J(","sql":")J", sql, '"',
               transaction == 0 ? "" : str(R"J(,"transaction":)J", transaction), '}');
  }
  std::string ask(std::string_view method, std::string_view sql, int transaction = 0) {
    return send(request(method, sql, transaction));
  }
  std::string begin(std::string_view behavior = "immediate", int parent = 0) {
    return send(str(R"J({"method":"begin","behavior":")J", behavior, '"',
                    parent == 0 ? "" : str(R"J(,"transaction":)J", parent), '}'));
  }
  std::string end(std::string_view method, int transaction) {
    return send(str(R"J({"method":")J", method, R"J(","transaction":)J", transaction, '}'));
  }
  std::string onCursor(std::string_view method, int cursor) {
    return send(str(R"J({"method":")J", method, R"J(","cursor":)J", cursor, '}'));
  }

  // The only value of an answer.
  static std::string one(std::string_view answer) {
    const auto begin = answer.find("[[");
    if (!answer.starts_with("{\"rows\":[[") || begin == std::string_view::npos) {
      return std::string(answer);
    }
    return std::string(answer.substr(begin + 2, answer.find("]]") - begin - 2));
  }
  std::string count(int transaction = 0) {
    return one(ask("all", "select count(*) from t", transaction));
  }
  static bool waitsFor(std::string_view answer, int transaction) {
    return answer.find(str(R"J("waitsFor":)J", transaction)) != std::string_view::npos &&
           answer.find(R"J("code":"conflict")J") != std::string_view::npos;
  }

  const TemporaryFolder folder_;
  ConnectionPool pool_{{.file = GetParam() ? folder_ / "a.db" : std::filesystem::path()}};
  SessionOptions options_{.limits = {.resultRowsMax = 5'000,
                                     .openTransactionsMax = 4,
                                     .cursorBatchBytes = 1'000,
                                     .cursorBatchRowsMax = 100,
                                     .openCursorsMax = 2}};
  Session session_{pool_, options_};
};

TEST_P(SessionConnectionsTest, ReadsOutsideOfATransactionSeeWhatIsCommitted) {
  EXPECT_EQ(begin(), R"J({"transaction":1})J");
  ask("run", "insert into t values (2, 'two')", 1);
  EXPECT_EQ(count(1), "2");
  EXPECT_EQ(count(), "1");
  EXPECT_EQ(end("commit", 1), "{}");
  EXPECT_EQ(count(), "2");
}

TEST_P(SessionConnectionsTest, WritesOutsideOfATransactionSayWhatTheyWaitFor) {
  begin();
  begin("immediate", 1);
  EXPECT_EQ(ask("run", "delete from t"),
            R"J({"error":{"code":"conflict","message":"transaction 1 is open and may write, and )J"
            R"J(this request is not part of it; use its tx, or wait until it has ended",)J"
            R"J("waitsFor":1}})J");
  EXPECT_TRUE(waitsFor(begin(), 1));
  EXPECT_TRUE(waitsFor(begin("exclusive"), 1));
  EXPECT_TRUE(waitsFor(
      send(R"J({"method":"batch","steps":[{"method":"run","sql":"delete from t"}]})J"), 1));
  EXPECT_EQ(count(2), "1");
  end("rollback", 2);
  end("rollback", 1);
  EXPECT_EQ(ask("run", "delete from t"), R"J({"rows":[],"changes":1,"lastInsertRowid":0})J");
}

TEST_P(SessionConnectionsTest, ReadingTransactionsAreOpenBesideAWritingOne) {
  EXPECT_EQ(begin("deferred"), R"J({"transaction":1})J");
  EXPECT_EQ(count(1), "1");
  EXPECT_EQ(begin(), R"J({"transaction":2})J");
  EXPECT_EQ(begin("deferred"), R"J({"transaction":3})J");
  ask("run", "insert into t values (2, 'two')", 2);
  EXPECT_EQ(count(1), "1");
  // Its first write would be its turn.
  EXPECT_TRUE(waitsFor(ask("run", "delete from t", 3), 2));
  end("commit", 2);
  EXPECT_EQ(count(1), "1") << "one transaction sees one state";
  EXPECT_EQ(count(3), "2") << "its first read is only now";
  EXPECT_EQ(ask("run", "delete from t where id = 2", 3),
            R"J({"rows":[],"changes":1,"lastInsertRowid":0})J");
  const std::string stale = ask("run", "delete from t", 1);
  EXPECT_TRUE(stale.find("unavailable") != std::string::npos || waitsFor(stale, 3)) << stale;
  end("commit", 3);
  EXPECT_NE(ask("run", "delete from t", 1).find("SQLITE_BUSY_SNAPSHOT"), std::string::npos);
  EXPECT_EQ(end("rollback", 1), "{}");
  EXPECT_EQ(count(), "1");
}

TEST_P(SessionConnectionsTest, GiveTheirConnectionsBack) {
  begin();
  count();
  begin("deferred");
  EXPECT_EQ(pool_.counters().lent, 2u);
  end("rollback", 2);
  end("commit", 1);
  EXPECT_EQ(pool_.counters().lent, 1u);
  session_.finish();
  EXPECT_EQ(pool_.counters().lent, 0u);
}

TEST_P(SessionConnectionsTest, HandlesThatEndedOrNeverWereAreToldApart) {
  begin();
  end("commit", 1);
  EXPECT_NE(count(1).find("transaction 1 has ended"), std::string::npos);
  EXPECT_NE(count(2).find("there is no transaction 2"), std::string::npos);
  EXPECT_NE(end("rollback", 1).find("transaction 1 has ended"), std::string::npos);
}

TEST_P(SessionConnectionsTest, IterateAnswersInPiecesOfOneState) {
  ask("run",
      "insert into t with recursive n(i) as (select 2 union all select i + 1 from n where i < 950) "
      "select i, null from n");
  std::string answer = ask("iterate", "select id from t order by id");
  EXPECT_TRUE(answer.starts_with("{\"rows\":[[1],[2],[3]"));
  EXPECT_TRUE(answer.ends_with(",[100]],\"cursor\":1}")) << answer;
  ask("run", "delete from t");
  int pieces = 1;
  for (; answer.ends_with("\"cursor\":1}"); ++pieces) answer = onCursor("fetch", 1);
  EXPECT_EQ(pieces, 10);
  EXPECT_TRUE(answer.ends_with(",[950]]}")) << answer;
  EXPECT_EQ(pool_.counters().lent, 1u);
  EXPECT_NE(onCursor("fetch", 1).find("cursor 1 is closed"), std::string::npos);
  EXPECT_EQ(onCursor("close", 1), "{}");
  EXPECT_NE(onCursor("fetch", 2).find("there is no cursor 2"), std::string::npos);
  EXPECT_NE(onCursor("close", 2).find("there is no cursor 2"), std::string::npos);
}

TEST_P(SessionConnectionsTest, IterateHoldsItsPiecesToTheirBytesButAnswersEveryRow) {
  std::string answer =
      ask("iterate", "select hex(zeroblob(value * 400)) from json_each('[1, 1, 4, 1]')");
  std::size_t rows = 0, pieces = 1;
  for (;; ++pieces) {
    rows += static_cast<std::size_t>(std::count(answer.begin(), answer.end(), '[')) - 1;
    if (answer.find("\"cursor\"") == std::string::npos) break;
    answer = onCursor("fetch", 1);
  }
  EXPECT_EQ(rows, 4u);
  EXPECT_EQ(pieces, 3u);
}

TEST_P(SessionConnectionsTest, IterateKeepsItsParameters) {
  std::string answer = send(
      R"J({"method":"iterate","sql":"select ?, ?, value from generate_series where 0","params":[1, "x"]})J");
  answer = send(
      R"J({"method":"iterate","sql":"with recursive n(i) as (select 1 union all select i + 1 from n where i < 250) select ?, ?, i from n","params":["text",{"$blob":"AAE="}]})J");
  send(R"J({"method":"all","sql":"select ?","params":["something else altogether"]})J");
  EXPECT_TRUE(onCursor("fetch", 1).starts_with(R"J({"rows":[["text",{"$blob":"AAE="},)J"));
  onCursor("close", 1);
}

TEST_P(SessionConnectionsTest, ACursorEndsWithItsTransaction) {
  begin();
  ask("run",
      "insert into t with recursive n(i) as (select 2 union all select i + 1 from n where i "
      "< 300) select i, null from n",
      1);
  EXPECT_NE(ask("iterate", "select id from t", 1).find("\"cursor\":1"), std::string::npos);
  begin("immediate", 1);
  EXPECT_NE(ask("iterate", "select id from t", 2).find("\"cursor\":2"), std::string::npos);
  EXPECT_NE(onCursor("fetch", 1).find("\"cursor\":1"), std::string::npos);
  EXPECT_EQ(end("rollback", 2), "{}");
  EXPECT_NE(onCursor("fetch", 2).find("cursor 2 is closed"), std::string::npos);
  EXPECT_TRUE(onCursor("fetch", 1).starts_with("{\"rows\":[[201]"));
  EXPECT_EQ(end("commit", 1), "{}");
  EXPECT_NE(onCursor("fetch", 1).find("cursor 1 is closed"), std::string::npos);
  EXPECT_EQ(count(), "300");
}

TEST_P(SessionConnectionsTest, CursorsAreAsManyAsTheirLimitAndOnlyRead) {
  ask("iterate", "select 1 union all select 2 from t, t b, t c");
  const std::string many =
      "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
  EXPECT_NE(ask("iterate", many).find("\"cursor\":2"), std::string::npos);
  EXPECT_NE(ask("iterate", many).find("\"cursor\":3"), std::string::npos);
  EXPECT_NE(ask("iterate", many).find("openCursorsMax is 2"), std::string::npos);
  onCursor("close", 2);
  EXPECT_NE(ask("iterate", many).find("\"cursor\":4"), std::string::npos);
  onCursor("close", 3);
  EXPECT_NE(ask("iterate", "delete from t returning id").find("only read; use all()"),
            std::string::npos);
  EXPECT_EQ(count(), "1");
}

TEST_P(SessionConnectionsTest, ACursorThatFailsIsClosed) {
  const std::string answer =
      ask("iterate",
          "select abs(case when value = 120 then -9223372036854775807 - 1 else value end) from "
          "json_each((select json_group_array(i) from (with recursive n(i) as (select 1 union all "
          "select i + 1 from n where i < 200) select i from n)))");
  EXPECT_NE(answer.find("\"cursor\":1"), std::string::npos) << answer;
  EXPECT_NE(onCursor("fetch", 1).find("integer overflow"), std::string::npos);
  EXPECT_NE(onCursor("fetch", 1).find("cursor 1 is closed"), std::string::npos);
}

TEST_P(SessionConnectionsTest, ABatchIsOneTransaction) {
  EXPECT_EQ(send(R"J({"method":"batch","steps":[
        {"method":"run","sql":"insert into t values (?, ?)","params":[2, "two"]},
        {"method":"all","sql":"select id, a from t order by id"},
        {"method":"get","sql":"select a from t where id = ?","params":[2]},
        {"method":"get","sql":"select a from t where id = 9"}]})J"),
            R"J({"results":[{"rows":[],"changes":1,"lastInsertRowid":2},)J"
            R"J({"rows":[[1,"one"],[2,"two"]],"changes":0,"lastInsertRowid":0},)J"
            R"J({"rows":["two"],"changes":0,"lastInsertRowid":0},)J"
            R"J({"rows":null,"changes":0,"lastInsertRowid":0}]})J");
  const std::string failed = send(R"J({"method":"batch","steps":[
        {"method":"run","sql":"insert into t values (3, null)"},
        {"method":"run","sql":"insert into t values (1, null)"},
        {"method":"run","sql":"insert into t values (4, null)"}]})J");
  EXPECT_NE(failed.find("statement 2 of the batch: t.id must be unique"), std::string::npos);
  EXPECT_NE(failed.find("\"step\":2"), std::string::npos);
  EXPECT_EQ(count(), "2");
  // What an earlier one creates, a later one may use.
  EXPECT_EQ(send(R"J({"method":"batch","steps":[
        {"method":"run","sql":"create table u (x)"},
        {"method":"run","sql":"insert into u values (7)"},
        {"method":"get","sql":"select x from u"}]})J")
                .substr(0, 11),
            "{\"results\":");
}

TEST_P(SessionConnectionsTest, ABatchInATransactionIsASavepoint) {
  begin();
  ask("run", "insert into t values (2, 'two')", 1);
  EXPECT_NE(send(R"J({"method":"batch","transaction":1,"steps":[
        {"method":"run","sql":"insert into t values (3, null)"},
        {"method":"run","sql":"insert into nowhere values (1)"}]})J")
                .find("statement 2 of the batch: no such table: nowhere"),
            std::string::npos);
  EXPECT_EQ(count(1), "2");
  // Only what is said to roll back all of it does.
  const std::string ended = send(R"J({"method":"batch","transaction":1,"steps":[
        {"method":"run","sql":"insert or rollback into t values (1, null)"}]})J");
  EXPECT_NE(ended.find("; the transaction was rolled back"), std::string::npos) << ended;
  EXPECT_EQ(end("rollback", 1), "{}");
  EXPECT_EQ(count(), "1");
}

TEST_P(SessionConnectionsTest, ABatchFailsAtItsCommit) {
  ask("run", "create table child (p integer references t (id) deferrable initially deferred)");
  const std::string failed = send(
      R"J({"method":"batch","steps":[{"method":"run","sql":"insert into child values (9)"}]})J");
  EXPECT_NE(failed.find("a deferred foreign key is not satisfied"), std::string::npos) << failed;
  EXPECT_EQ(failed.find("step"), std::string::npos);
  EXPECT_EQ(one(ask("all", "select count(*) from child")), "0");
  EXPECT_EQ(begin(), R"J({"transaction":2})J");
}

TEST_P(SessionConnectionsTest, TheLimitOnRowsIsForAWholeBatch) {
  const std::string many =
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < "
      "3000) select i from n";
  EXPECT_TRUE(ask("all", many).starts_with("{\"rows\":[[1]"));
  EXPECT_NE(send(str(R"J({"method":"batch","steps":[{"method":"all","sql":")J", many,
                     R"J("},{"method":"all","sql":")J", many, R"J("}]})J"))
                .find("statement 2 of the batch: the answer has more rows than resultRowsMax"),
            std::string::npos);
}

TEST_P(SessionConnectionsTest, ReadOnlySessionsReadAndDoNotWrite) {
  Session reader(pool_, {.readOnly = true});
  const auto refusal =
      R"J({"error":{"code":"not-allowed","message":"this session may only read"}})J";
  for (const char* sql :
       {"delete from t", "insert into t values (2, 2) returning id", "create table u (x)",
        "drop table t", "analyze", "create index t_a on t (a)"}) {
    EXPECT_EQ(send(reader, request("all", sql)), refusal) << sql;
  }
  EXPECT_EQ(send(reader, R"J({"method":"begin"})J"), R"J({"transaction":1})J");
  EXPECT_EQ(one(send(reader, request("all", "select a from t", 1))), "\"one\"");
  EXPECT_EQ(send(reader, request("run", "delete from t", 1)), refusal);
  // And does not hold up who writes.
  EXPECT_EQ(ask("run", "insert into t values (2, 'two')"),
            R"J({"rows":[],"changes":1,"lastInsertRowid":2})J");
  EXPECT_EQ(one(send(reader, request("all", "select count(*) from t", 1))), "1");
}

TEST_P(SessionConnectionsTest, TwoGuestsWriteInTurnAndReadersDoNotWait) {
  begin();
  ask("run", "insert into t values (2, 'two')", 1);
  Session reader(pool_, {});
  EXPECT_EQ(one(send(reader, request("all", "select count(*) from t"))), "1");
  std::string answer;
  std::thread other([&] {
    Session writer(pool_, {});
    answer = send(writer, request("run", "update t set a = 3"));
  });
  while (pool_.writers().waitingCount() == 0) std::this_thread::yield();
  EXPECT_EQ(end("commit", 1), "{}");
  other.join();
  EXPECT_EQ(answer, R"J({"rows":[],"changes":2,"lastInsertRowid":0})J");
}

TEST_P(SessionConnectionsTest, AWaitForTheTurnEndsWithTheTimeLimit) {
  begin();
  Session writer(pool_, {.limits = {.runTimeMax = milliseconds(30)}});
  std::thread watchdog([&] {
    while (pool_.writers().waitingCount() == 0) std::this_thread::yield();
    writer.interrupt();
  });
  expectError(ErrorCode::LimitExceeded, "a query ran when the time was over: runTimeMax is 30ms",
              [&] { send(writer, request("run", "delete from t")); });
  watchdog.join();
  writer.finish();
  end("commit", 1);
  EXPECT_EQ(count(), "1");
}

TEST_P(SessionConnectionsTest, AGuestThatIsKilledGivesItsTurnBack) {
  {
    Session killed(pool_, {});
    send(killed, R"J({"method":"begin"})J");
    send(killed, request("run", "delete from t", 1));
    killed.interrupt();
    EXPECT_EQ(errorOf([&] { send(killed, request("all", "select 1", 1)); }).code(),
              ErrorCode::LimitExceeded);
  }
  EXPECT_EQ(ask("run", "update t set a = 2"), R"J({"rows":[],"changes":1,"lastInsertRowid":0})J");
}

TEST_P(SessionConnectionsTest, FinishTellsOfAllThatWasOpen) {
  begin();
  begin("immediate", 1);
  begin("deferred");
  ask("iterate", "select 1");
  EXPECT_EQ(session_.finish(), 3u);
  EXPECT_EQ(pool_.counters().lent, 0u);
  EXPECT_EQ(count(), "1");
}

TEST_P(SessionConnectionsTest, ManyGuestsAtOnceLoseNothing) {
  ask("run", "create table n (x integer not null)");
  ask("run", "insert into n values (0)");
  std::vector<std::thread> guests;
  for (int guest = 0; guest < 6; ++guest) {
    guests.emplace_back([this] {
      for (int round = 0; round < 40; ++round) {
        Session session(pool_, {});
        // Reads and writes what it has read: only a transaction keeps that right.
        send(session, R"J({"method":"begin"})J");
        const std::string x = one(send(session, request("all", "select x from n", 1)));
        send(session, request("run", str("update n set x = ", std::stoi(x) + 1), 1));
        send(session, R"J({"method":"commit","transaction":1})J");
      }
    });
  }
  for (std::thread& guest : guests) guest.join();
  EXPECT_EQ(one(ask("all", "select x from n")), "240");
}

INSTANTIATE_TEST_SUITE_P(Sessions, SessionConnectionsTest, testing::Bool(),
                         [](const auto& name) { return name.param ? "File" : "Memory"; });

}  // namespace
}  // namespace schemascript
