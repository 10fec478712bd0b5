#include "migrate/push.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing.h"
#include "bridge/session.h"

namespace schemascript {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kUsers =
    "create table \"users\" (\"id\" integer primary key not null, \"email\" text not null,"
    " \"role\" text default 'guest' not null check (role in ('admin', 'guest')))  strict;\n";
constexpr std::string_view kEmail = "create unique index users_email_unique on users (\"email\");";

class PushTest : public testing::Test {
 protected:
  void run(std::string_view sql) { database_.execute(sql, Rules::Guest); }

  // That `wanted` is refused when `present` is there, with exactly these lines.
  static void expectDifferences(std::string_view present, std::string_view wanted,
                                const Names& lines) {
    SCOPED_TRACE(wanted);
    Database database({});
    push(database, present);
    std::string message = "the database differs from the schema; nothing was changed";
    for (const std::string& line : lines) message += str("\n  ", line);
    expectError(ErrorCode::Conflict, message,
                [&] { push(database, str("create table extra (a);", wanted)); });
    EXPECT_FALSE(database.inTransaction());
    EXPECT_EQ(countOf(database, "extra"), 0);
  }

  static void expectNoDifference(std::string_view present, std::string_view wanted) {
    SCOPED_TRACE(wanted);
    Database database({});
    push(database, present);
    EXPECT_EQ(push(database, wanted).created, Names{});
  }

  static std::int64_t countOf(Database& database, std::string_view name) {
    Statement statement =
        database.prepare("select count(*) from sqlite_schema where name = ?", Rules::Host);
    const ValueView parameter = ValueView::ofText(name);
    Execution execution(statement, {&parameter, 1});
    EXPECT_TRUE(execution.step());
    return execution.column(0).integer;
  }

  Database database_{{}};
};

TEST_F(PushTest, CreatesWhatIsMissing) {
  const PushResult first = push(database_, kUsers);
  EXPECT_EQ(first.created, Names{"table users"});
  const PushResult second =
      push(database_, str(kUsers, "create table posts (id integer primary key);", kEmail));
  EXPECT_EQ(second.created, (Names{"table posts", "index users_email_unique"}));
  EXPECT_EQ(second.unchanged, Names{"table users"});
  run("insert into users (email) values ('a')");
  EXPECT_THROW(run("insert into users (email) values ('a')"), Error);
}

TEST_F(PushTest, ChangesNothingTheSecondTime) {
  push(database_, str(kUsers, kEmail));
  const PushResult again = push(database_, str(kUsers, kEmail));
  EXPECT_EQ(again.created, Names{});
  EXPECT_EQ(again.unchanged, (Names{"table users", "index users_email_unique"}));
  EXPECT_FALSE(database_.inTransaction());
}

TEST_F(PushTest, TakesAnEmptySchema) {
  const PushResult nothing = push(database_, " -- nothing yet\n");
  EXPECT_EQ(nothing.created, Names{});
  EXPECT_EQ(nothing.unchanged, Names{});
}

TEST_F(PushTest, LeavesWhatTheSchemaDoesNotKnowAlone) {
  run("create table other (a)");
  run("create unique index other_a on other (a)");
  run("create view v as select 1");
  EXPECT_EQ(push(database_, kUsers).created, Names{"table users"});
  EXPECT_EQ(countOf(database_, "other"), 1);
}

TEST_F(PushTest, SeesNoDifferenceInHowATableIsWritten) {
  expectNoDifference(
      "create table users (id integer primary key, name text default 'x' check (name <> ''), age "
      "int)",
      "CREATE TABLE \"Users\" (\"ID\" INTEGER PRIMARY KEY NOT NULL, -- the key\n"
      " [name] TEXT DEFAULT ('x') CHECK(\"name\"<>''), age INT DEFAULT NULL)");
  expectNoDifference(
      "create table a (b text, c text collate nocase, unique (b, c))",
      "create table a (c text collate NOCASE, b text collate binary, unique (B, C))");
  expectNoDifference("create table a (b); create index i on a (b) where b > 1",
                     "create table a (b); create index I on A (\"b\" asc) where b>1");
}

TEST_F(PushTest, ShowsHowColumnsDiffer) {
  expectDifferences("create table users (id integer primary key, email text, old blob)",
                    "create table users (id integer primary key, email text not null, age integer)",
                    {"users.email: TEXT NOT NULL here, TEXT in the database",
                     "users.age: missing in the database", "users.old: in the database only"});
  expectDifferences("create table a (b integer)", "create table a (b text)",
                    {"a.b: TEXT here, INTEGER in the database"});
  expectDifferences("create table a (b)", "create table a (b text default 'x' collate nocase)",
                    {"a.b: TEXT DEFAULT 'x' COLLATE NOCASE here, no type in the database"});
  expectDifferences("create table a (b text default 'x')", "create table a (b text default 'X')",
                    {"a.b: TEXT DEFAULT 'X' here, TEXT DEFAULT 'x' in the database"});
  expectDifferences(
      "create table a (b integer primary key)",
      "create table a (b integer primary key autoincrement)",
      {"a.b: INTEGER PRIMARY KEY AUTOINCREMENT here, INTEGER PRIMARY KEY in the database"});
  expectDifferences("create table a (b, c, primary key (b, c))",
                    "create table a (b, c, primary key (c, b))",
                    {"a.b: PRIMARY KEY 2 here, PRIMARY KEY 1 in the database",
                     "a.c: PRIMARY KEY 1 here, PRIMARY KEY 2 in the database"});
  expectDifferences("create table a (b, c as (b + 1))", "create table a (b, c as (b + 2) stored)",
                    {"a.c: STORED AS (b + 2) here, VIRTUAL AS (b + 1) in the database"});
}

TEST_F(PushTest, ShowsHowTablesDiffer) {
  expectDifferences("create table a (b integer)", "create table a (b integer) strict",
                    {"a: STRICT missing in the database"});
  expectDifferences("create table a (b integer primary key) without rowid",
                    "create table a (b integer primary key)",
                    {"a.b: INTEGER PRIMARY KEY here, INTEGER NOT NULL PRIMARY KEY in the database",
                     "a: WITHOUT ROWID in the database only"});
  expectDifferences(
      "create table a (b check (b > 1))", "create table a (b check (b > 2))",
      {"a: CHECK (b > 2) missing in the database", "a: CHECK (b > 1) in the database only"});
  expectDifferences(
      "create table a (b, c, unique (b))", "create table a (b, c, unique (b, c))",
      {"a: UNIQUE (b, c) missing in the database", "a: UNIQUE (b) in the database only"});
  expectDifferences(
      "create table p (id integer primary key); create table a (b references p (id))",
      "create table a (b references p (id) on delete cascade)",
      {"a: FOREIGN KEY (b) REFERENCES p (id) ON DELETE CASCADE missing in the database",
       "a: FOREIGN KEY (b) REFERENCES p (id) in the database only"});
  expectDifferences("create table p (id integer primary key); create table a (b references p (id))",
                    "create table a (b references p (id) deferrable initially deferred)",
                    {"a: INITIALLY DEFERRED missing in the database"});
}

TEST_F(PushTest, ShowsHowIndexesDiffer) {
  expectDifferences(
      "create table posts (title); create index posts_title_idx on posts (title)",
      "create table posts (title); create unique index posts_title_idx on posts (title)",
      {"posts: index posts_title_idx differs"});
  expectDifferences("create table a (b); create index i on a (b) where b > 1",
                    "create table a (b); create index i on a (b) where b > 2",
                    {"a: index i differs"});
  expectDifferences("create table a (b); create unique index i on a (b)", "create table a (b)",
                    {"a: unique index i in the database only"});
  expectNoDifference("create table a (b); create index i on a (b)", "create table a (b)");
}

TEST_F(PushTest, ShowsAViewOfTheSameName) {
  run("create view users as select 1");
  expectError(
      ErrorCode::Conflict,
      "the database differs from the schema; nothing was changed\n  users: a table here, view in "
      "the database",
      [&] { push(database_, kUsers); });
}

TEST_F(PushTest, NamesTheIndexThatPresentRowsDoNotAllow) {
  push(database_, kUsers);
  run("insert into users (email) values ('a'), ('a')");
  expectError(
      ErrorCode::Conflict,
      "index users_email_unique cannot be created, because rows in the database are not unique: "
      "users.email must be unique (SQLITE_CONSTRAINT_UNIQUE); nothing was changed",
      [&] { push(database_, str("create table extra (a);", kUsers, kEmail)); });
  EXPECT_EQ(countOf(database_, "extra"), 0);
  EXPECT_FALSE(database_.inTransaction());
}

TEST_F(PushTest, ExecutesDefinitionsOnly) {
  run("create table t (a)");
  for (const char* sql :
       {"create table t (a); drop table t", "create table t (a); insert into t values (1)",
        "create table a as select 1", "create table t (a); delete from t",
        "pragma user_version = 1", "create view v as select 1", "select 1"}) {
    SCOPED_TRACE(sql);
    expectError(ErrorCode::NotAllowed,
                "a schema consists of CREATE TABLE and CREATE INDEX statements",
                [&] { push(database_, sql); });
  }
  expectError(ErrorCode::InvalidRequest, "table A already exists at line 1, column 34",
              [&] { push(database_, "create table a (b); create table A (b)"); });
  const Error error = errorOf([&] { push(database_, "create tabel a (b)"); });
  EXPECT_EQ(error.message(), "near \"tabel\": syntax error at line 1, column 8");
}

TEST_F(PushTest, StopsWhenInterrupted) {
  database_.interrupt();
  EXPECT_EQ(errorOf([&] { push(database_, kUsers); }).code(), ErrorCode::LimitExceeded);
  EXPECT_FALSE(database_.inTransaction());
}

TEST_F(PushTest, SucceedsFromTwoSidesAtOnce) {
  for (int round = 0; round < 10; ++round) {
    const TemporaryFolder folder;
    { Database create({.file = folder / "a.db"}); }
    std::array<PushResult, 2> results;
    const auto pushOnce = [&folder](PushResult& result) {
      Database database({.file = folder / "a.db"});
      result = push(database, str(kUsers, kEmail));
    };
    std::thread other([&] { pushOnce(results[0]); });
    pushOnce(results[1]);
    other.join();
    EXPECT_EQ(results[0].created.size() + results[1].created.size(), 2u);
    EXPECT_EQ(results[0].unchanged.size() + results[1].unchanged.size(), 2u);
  }
}

TEST_F(PushTest, IsASessionsPusher) {
  Session session(database_, {.pusher = push});
  const std::string_view request = R"J({"method":"push","sql":"create table a (b)"})J";
  EXPECT_GT(session.query(std::as_bytes(std::span(request))), 0u);
  std::string answer(100, '\0');
  answer.resize(session.copyResult(std::as_writable_bytes(std::span(answer))));
  EXPECT_EQ(answer, R"J({"created":["table a"],"unchanged":[]})J");
}

}  // namespace
}  // namespace schemascript
