#include "bridge/session.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "base/testing.h"
#include "database/connection-pool.h"

namespace schemascript {
namespace {

using std::chrono::milliseconds;

class SessionTest : public testing::Test {
 protected:
  SessionTest() { define("create table t (id integer primary key, a, b text unique)"); }

  void define(std::string_view sql) { pool_.lend()->execute(sql, Rules::Guest); }

  // Fetches the answer in pieces, as a guest with little room does.
  static std::string ask(Session& session, std::string_view request) {
    const std::uint32_t length = session.query(std::as_bytes(std::span(request)));
    std::string answer;
    std::array<std::byte, 50> piece;
    while (const std::uint32_t count = session.copyResult(piece)) {
      answer.append(reinterpret_cast<const char*>(piece.data()), count);
    }
    EXPECT_EQ(answer.size(), length);
    return answer;
  }
  std::string ask(std::string_view request) { return ask(session_, request); }

  static std::string all(std::string_view sql, std::string_view params = "") {
    return str(R"J({"method":"all","sql":")J", sql, R"J(","params":[)J", params, "]}");
  }
  std::string rows(std::string_view sql) {
    std::string answer = ask(all(sql));
    EXPECT_TRUE(answer.starts_with(R"J({"rows":)J")) << answer;
    return answer.substr(8, answer.find(",\"changes\"") - 8);
  }

  ConnectionPool pool_{{}};
  Session session_{pool_, {}};
};

TEST_F(SessionTest, AnswersRowsChangesAndRowid) {
  EXPECT_EQ(
      ask(all("insert into t (a, b) values (?, ?), (?, ?)", R"J(1.0,"x",{"$blob":"AA=="},"y")J")),
      R"J({"rows":[],"changes":2,"lastInsertRowid":2})J");
  EXPECT_EQ(ask(all("select * from t order by id")),
            R"J({"rows":[[1,1.0,"x"],[2,{"$blob":"AA=="},"y"]],"changes":0,"lastInsertRowid":0})J");
  EXPECT_EQ(ask(R"J({"method":"get","sql":"select b from t where id = ?","params":[2]})J"),
            R"J({"rows":["y"],"changes":0,"lastInsertRowid":0})J");
  EXPECT_EQ(ask(R"J({"method":"get","sql":"select b from t where id = ?","params":[3]})J"),
            R"J({"rows":null,"changes":0,"lastInsertRowid":0})J");
  EXPECT_EQ(ask(R"J({"method":"run","sql":"delete from t where id = 1 returning b"})J"),
            R"J({"rows":[["x"]],"changes":1,"lastInsertRowid":0})J");
  EXPECT_EQ(ask(R"J({"method":"get","sql":"insert into t (b) values ('p'), ('q') returning id"})J"),
            R"J({"rows":[3],"changes":2,"lastInsertRowid":4})J");
  EXPECT_EQ(ask(R"J({"method":"values","sql":"select 1, null"})J"),
            R"J({"rows":[[1,null]],"changes":0,"lastInsertRowid":0})J");
}

TEST_F(SessionTest, GivesAnAnswerAwayInPiecesAndThenDropsIt) {
  const std::string request = all("select 'abc'");
  const std::uint32_t length = session_.query(std::as_bytes(std::span(request)));
  std::array<std::byte, 10> first;
  EXPECT_EQ(session_.copyResult(first), 10u);
  EXPECT_EQ(session_.copyResult({}), 0u);
  std::vector<std::byte> rest(1'000);
  EXPECT_EQ(session_.copyResult(rest), length - 10);
  EXPECT_EQ(session_.copyResult(rest), 0u);
  session_.query(std::as_bytes(std::span(request)));
  session_.finish();
  EXPECT_EQ(session_.copyResult(rest), 0u);
}

TEST_F(SessionTest, AnswersWhateverAGuestCanHandle) {
  EXPECT_EQ(ask("nonsense"),
            R"J({"error":{"code":"invalid-request","message":"a request begins with '{'"}})J");
  EXPECT_EQ(
      ask(all("select nmae from t")),
      R"J({"error":{"code":"invalid-request","message":"no such column: nmae at line 1, column 8",)J"
      R"J("sqliteCode":"SQLITE_ERROR","extendedCode":1}})J");
  EXPECT_EQ(
      ask(all("begin")),
      R"J({"error":{"code":"not-allowed","message":"transactions are not opened or ended by SQL; )J"
      R"J(use db.transaction(async (tx) => ...)","sqliteCode":"SQLITE_AUTH","extendedCode":23}})J");
  ask(all("insert into t (b) values ('x')"));
  EXPECT_EQ(
      ask(all("insert into t (b) values (?)", "\"x\"")),
      R"J({"error":{"code":"conflict","message":"t.b must be unique (SQLITE_CONSTRAINT_UNIQUE)",)J"
      R"J("violation":"unique","table":"t","sqliteCode":"SQLITE_CONSTRAINT_UNIQUE",)J"
      R"J("columns":["b"],"extendedCode":2067}})J");
  EXPECT_EQ(
      ask(all("select 1; select 2")),
      R"J({"error":{"code":"invalid-request","message":"the SQL text holds a second statement; )J"
      R"J(send one at a time"}})J");
  EXPECT_EQ(
      ask(all("select ?")),
      R"J({"error":{"code":"invalid-request","message":"the statement has 1 parameter, the request )J"
      R"J(0"}})J");
  EXPECT_EQ(rows("select 1"), "[[1]]");
}

TEST_F(SessionTest, SearchesWhatTriggersHaveWritten) {
  const std::string insert = "insert into found (rowid, b) values (new.id, new.b);";
  const std::string remove =
      "insert into found (found, rowid, b) values ('delete', old.id, old.b);";
  for (const std::string& sql :
       {std::string("create virtual table found using fts5 (b, content='t', content_rowid='id')"),
        str("create trigger t_insert after insert on t begin ", insert, " end"),
        str("create trigger t_delete after delete on t begin ", remove, " end"),
        str("create trigger t_update after update on t begin ", remove, insert, " end"),
        std::string(
            "create view hits (id, b, rank) as select rowid, b, rank from found('apple')")}) {
    define(sql);
  }
  EXPECT_EQ(ask(all("insert into t (id, b) values (7, 'red apple'), (9, 'pear'), (8, 'apple')")),
            R"J({"rows":[],"changes":3,"lastInsertRowid":8})J");
  EXPECT_EQ(rows("select rowid from found where found match 'apple' order by rank"), "[[8],[7]]");
  EXPECT_EQ(rows("select id from t where id in (select rowid from found where found match 'p*')"),
            "[[9]]");
  EXPECT_EQ(rows("select rowid, bm25(found) < 0, rank < 0 from found where found match 'red'"),
            "[[7,1,1]]");
  EXPECT_EQ(rows("select id, b from hits order by rank"), R"J([[8,"apple"],[7,"red apple"]])J");
  EXPECT_EQ(ask(all("update t set b = 'plum' where id = 8")),
            R"J({"rows":[],"changes":1,"lastInsertRowid":0})J");
  EXPECT_EQ(ask(all("delete from t where id = 7")),
            R"J({"rows":[],"changes":1,"lastInsertRowid":0})J");
  EXPECT_EQ(rows("select * from hits"), "[]");
}

TEST_F(SessionTest, KeepsTheTablesOfASearchFromBeingWritten) {
  define("create virtual table found using fts5 (b)");
  for (const char* table :
       {"found_data", "found_idx", "found_content", "found_docsize", "found_config"}) {
    const auto refused = [table](std::string_view what) {
      return str(R"J({"error":{"code":"invalid-request","message":"table )J", table, " may not be ",
                 what, R"J(","sqliteCode":"SQLITE_ERROR","extendedCode":1}})J");
    };
    EXPECT_EQ(ask(all(str("delete from ", table))), refused("modified"));
    EXPECT_EQ(ask(all(str("insert into ", table, " default values"))), refused("modified"));
    EXPECT_EQ(ask(all(str("drop table ", table))), refused("dropped"));
    EXPECT_EQ(ask(all(str("alter table ", table, " add column x"))), refused("altered"));
  }
}

TEST_F(SessionTest, KeepsTransactionsApartFromWhatIsOutside) {
  EXPECT_EQ(ask(R"J({"method":"begin"})J"), R"J({"transaction":1})J");
  EXPECT_EQ(ask(R"J({"method":"run","sql":"insert into t (id) values (1)","transaction":1})J"),
            R"J({"rows":[],"changes":1,"lastInsertRowid":1})J");
  EXPECT_EQ(rows("select id from t"), "[]");
  EXPECT_EQ(ask(R"J({"method":"begin","transaction":1})J"), R"J({"transaction":2})J");
  EXPECT_EQ(ask(R"J({"method":"run","sql":"delete from t","transaction":2})J"),
            R"J({"rows":[],"changes":1,"lastInsertRowid":0})J");
  EXPECT_EQ(ask(R"J({"method":"rollback","transaction":2})J"), "{}");
  EXPECT_EQ(ask(R"J({"method":"commit","transaction":1})J"), "{}");
  EXPECT_EQ(rows("select id from t"), "[[1]]");
}

TEST_F(SessionTest, SaysWhenAFailureHasEndedTheTransaction) {
  ask(R"J({"method":"begin"})J");
  ask(R"J({"method":"run","sql":"insert into t (b) values ('x')","transaction":1})J");
  const std::string answer = ask(
      R"J({"method":"run","sql":"insert or rollback into t (b) values ('x')","transaction":1})J");
  EXPECT_NE(
      answer.find("t.b must be unique (SQLITE_CONSTRAINT_UNIQUE); the transaction was rolled back"),
      std::string::npos)
      << answer;
  EXPECT_NE(ask(R"J({"method":"run","sql":"select 1","transaction":1})J")
                .find("transaction 1 was rolled back when a statement failed"),
            std::string::npos);
  EXPECT_EQ(ask(R"J({"method":"rollback","transaction":1})J"), "{}");
  EXPECT_EQ(rows("select * from t"), "[]");
}

TEST_F(SessionTest, RollsBackWhatTheGuestLeavesOpenAndTells) {
  ask(R"J({"method":"begin"})J");
  ask(R"J({"method":"begin","transaction":1})J");
  ask(R"J({"method":"run","sql":"insert into t (id) values (1)","transaction":2})J");
  EXPECT_EQ(session_.finish(), 2u);
  EXPECT_EQ(session_.finish(), 0u);
  Session next(pool_, {});
  EXPECT_EQ(ask(next, all("select count(*) from t")),
            R"J({"rows":[[0]],"changes":0,"lastInsertRowid":0})J");
}

TEST_F(SessionTest, RefusesQueriesWithTheSentenceThatItWasGiven) {
  Session session(pool_, {.queriesRefusedBecause = "the app is being loaded"});
  const auto refusal = R"J({"error":{"code":"not-allowed","message":"the app is being loaded"}})J";
  EXPECT_EQ(ask(session, all("select 1")), refusal);
  EXPECT_EQ(ask(session, R"J({"method":"begin"})J"), refusal);
  EXPECT_EQ(ask(session, R"J({"method":"push","sql":"create table a (b)"})J"),
            R"J({"error":{"code":"not-allowed","message":"this run may not push a schema"}})J");
}

TEST_F(SessionTest, HandsAPushToItsPusher) {
  std::string seen;
  Session session(pool_, {.queriesRefusedBecause = "only a push",
                          .pusher = [&seen](Database&, std::string_view sql) {
                            if (sql == "no") throw conflict("it differs");
                            seen = sql;
                            return PushResult{.created = {"table a"}, .unchanged = {}};
                          }});
  EXPECT_EQ(ask(session, R"J({"method":"push","sql":"create table a (b)"})J"),
            R"J({"created":["table a"],"unchanged":[]})J");
  EXPECT_EQ(seen, "create table a (b)");
  EXPECT_EQ(ask(session, R"J({"method":"push","sql":"no"})J"),
            R"J({"error":{"code":"conflict","message":"it differs"}})J");
}

TEST_F(SessionTest, RefusesAPushInsideOfATransaction) {
  Session session(pool_, {.pusher = [](Database&, std::string_view) { return PushResult{}; }});
  ask(session, R"J({"method":"begin"})J");
  EXPECT_NE(ask(session, R"J({"method":"push","sql":"a"})J").find("transaction 1 is open"),
            std::string::npos);
  session.finish();
}

TEST_F(SessionTest, HoldsTheLimitOnRows) {
  Session session(pool_, {.limits = {.resultRowsMax = 2}});
  EXPECT_EQ(ask(session, all("values (1), (2)")),
            R"J({"rows":[[1],[2]],"changes":0,"lastInsertRowid":0})J");
  EXPECT_EQ(ask(session, all("values (1), (2), (3)")),
            R"J({"error":{"code":"limit-exceeded","message":"the answer has more rows than )J"
            R"J(resultRowsMax, 2; read it in pieces with db.iterate(query)"}})J");
}

TEST_F(SessionTest, WritesNothingWhenTheAnswerOfAWriteIsTooLong) {
  Session session(pool_, {.limits = {.resultRowsMax = 2, .resultBytesMax = 100}});
  EXPECT_NE(ask(session, all("insert into t (id) values (1), (2), (3) returning id"))
                .find("limit-exceeded"),
            std::string::npos);
  EXPECT_NE(ask(session, all("insert into t (b) values (?) returning b",
                             str('"', std::string(99, 'x'), '"')))
                .find("the answer is longer than resultBytesMax (100b)"),
            std::string::npos);
  EXPECT_EQ(ask(session, all("select count(*) from t")),
            R"J({"rows":[[0]],"changes":0,"lastInsertRowid":0})J");
  ask(session, R"J({"method":"begin"})J");
  ask(session, R"J({"method":"run","sql":"insert into t (id) values (9)","transaction":1})J");
  EXPECT_NE(
      ask(session,
          R"J({"method":"all","sql":"insert into t (id) values (1),(2),(3) returning id","transaction":1})J")
          .find("limit-exceeded"),
      std::string::npos);
  EXPECT_EQ(ask(session, R"J({"method":"commit","transaction":1})J"), "{}");
  EXPECT_EQ(ask(session, all("select id from t")),
            R"J({"rows":[[9]],"changes":0,"lastInsertRowid":0})J");
}

TEST_F(SessionTest, AnswersARequestThatIsTooLong) {
  Session session(pool_, {.limits = {.requestBytesMax = 10}});
  EXPECT_EQ(
      ask(session, all("select 1")),
      R"J({"error":{"code":"limit-exceeded","message":"the request has 45 bytes; requestBytesMax )J"
      R"J(is 10b"}})J");
}

TEST_F(SessionTest, SeesColumnsThatWereAddedInBetween) {
  ask(all("insert into t (id) values (1)"));
  EXPECT_EQ(rows("select * from t"), "[[1,null,null]]");
  ask(all("alter table t add column c default 7"));
  EXPECT_EQ(rows("select * from t"), "[[1,null,null,7]]");
}

TEST_F(SessionTest, StopsTheGuestWhenInterrupted) {
  Session session(pool_, {.limits = {.runTimeMax = milliseconds(40)}});
  std::thread watchdog([&session] {
    std::this_thread::sleep_for(milliseconds(40));
    session.interrupt();
  });
  const auto start = std::chrono::steady_clock::now();
  expectError(
      ErrorCode::LimitExceeded, "a query ran when the time was over: runTimeMax is 40ms", [&] {
        ask(session,
            all("with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) "
                "from n"));
      });
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2'000));
  watchdog.join();
  // Also a request that SQLite would not see.
  EXPECT_EQ(errorOf([&] { ask(session, "nonsense"); }).code(), ErrorCode::LimitExceeded);
  session.finish();
  Session next(pool_, {});
  EXPECT_EQ(ask(next, all("select 1")), R"J({"rows":[[1]],"changes":0,"lastInsertRowid":0})J");
}

TEST_F(SessionTest, RollsBackATransactionThatWasInterrupted) {
  ask(R"J({"method":"begin"})J");
  ask(R"J({"method":"run","sql":"insert into t (id) values (1)","transaction":1})J");
  session_.interrupt();
  EXPECT_EQ(errorOf([&] { ask(R"J({"method":"commit","transaction":1})J"); }).code(),
            ErrorCode::LimitExceeded);
  session_.finish();
  Session next(pool_, {});
  EXPECT_EQ(ask(next, all("select count(*) from t")),
            R"J({"rows":[[0]],"changes":0,"lastInsertRowid":0})J");
}

TEST_F(SessionTest, RollsBackWithoutAFinish) {
  {
    Session session(pool_, {});
    ask(session, R"J({"method":"begin"})J");
    ask(session, R"J({"method":"run","sql":"insert into t (id) values (1)","transaction":1})J");
  }
  EXPECT_EQ(pool_.counters().lent, 0u);
  EXPECT_EQ(rows("select * from t"), "[]");
  EXPECT_EQ(ask(all("insert into t (id) values (2)")),
            R"J({"rows":[],"changes":1,"lastInsertRowid":2})J");
}

// The whole way: JSON, binding, the file, columns, JSON.
TEST_F(SessionTest, GivesBackRandomValuesExactly) {
  std::mt19937_64 random(seedOr(3));
  for (int round = 0; round < 2'000; ++round) {
    std::string value;
    switch (random() % 5) {
      case 0:
        value = str(static_cast<std::int64_t>(random()) >> (11 + random() % 53));
        break;
      case 1:
        value = str(R"J({"$int":")J", static_cast<std::int64_t>(random() | 1ull << 62), "\"}");
        break;
      case 2:
        value = str(static_cast<double>(random() % 1'000'000), ".5e-", random() % 20);
        break;
      case 3:
        for (std::size_t i = random() % 30; i > 0; --i)
          value += random() % 9 == 0 ? "\\u0000" : "\u00e9x";
        value = str('"', value, '"');
        break;
      default:
        value = random() % 2 == 0 ? R"J({"$blob":"AAECAwQ="})J" : "null";
    }
    const std::string stored = ask(all("insert or replace into t (id, a) values (1, ?)", value));
    ASSERT_EQ(stored, R"J({"rows":[],"changes":1,"lastInsertRowid":1})J") << value;
    const std::string read = rows("select a from t where id = 1");
    const std::string again = ask(all("select a is ? from t where id = 1", value));
    EXPECT_EQ(again, R"J({"rows":[[1]],"changes":0,"lastInsertRowid":0})J") << value << " " << read;
    // A real may be written shorter than it was asked for; everything else comes back as it is.
    if (value.find(".5e") == std::string::npos) {
      EXPECT_EQ(read, str("[[", value, "]]"));
    }
  }
}

// Requests that are nearly right, executed: each is answered, and the session stays usable.
TEST_F(SessionTest, SurvivesRandomRequests) {
  const std::vector<std::string> corpus{
      all("insert into t (a, b) values (?, ?)", R"J(1.5,"x")J"),
      all("select * from t where id > ? limit 3", "0"),
      all("insert into t (b) values ('y') returning *"),
      R"J({"method":"begin"})J",
      R"J({"method":"begin","transaction":1})J",
      R"J({"method":"commit","transaction":1})J",
      R"J({"method":"rollback","transaction":2})J",
      R"J({"method":"run","sql":"delete from t","transaction":1})J",
  };
  std::mt19937 random(seedOr(8));
  for (int round = 0; round < 20'000; ++round) {
    std::string request = corpus[random() % corpus.size()];
    for (std::uint32_t change = random() % 3; change > 0; --change) {
      request[random() % request.size()] = static_cast<char>(random() % 96 + 32);
    }
    ASSERT_GT(session_.query(std::as_bytes(std::span(request))), 0u) << request;
  }
  session_.finish();
  EXPECT_EQ(rows("select 1"), "[[1]]");
}

}  // namespace
}  // namespace schemascript
