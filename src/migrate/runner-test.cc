#include "migrate/runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "base/testing.h"
#include "migrate/refusal.h"
#include "migrate/testing.h"

namespace schemascript {
namespace {

constexpr std::string_view kUsers =
    "create table users (id integer primary key, email text, age any) strict;"
    "insert into users values (4, 'a@b', 36), (7, null, 'old'), (9, null, 41), (12, 'a@b', 1.5);";
constexpr std::string_view kPosts =
    "create table posts (id integer primary key,"
    " author integer references users (id) on delete cascade) strict;"
    "insert into posts values (1, 4), (2, 7), (3, 9);";

Database& with(Database& database, std::string_view sql) {
  runAll(database, sql);
  return database;
}

bool hasForeignKeys(Database& database) {
  return rowsOf(database, "pragma foreign_keys") == Rows{{"1"}};
}

std::string contentOf(Database& database) {
  std::string content;
  for (const Row& row : rowsOf(database, "select name, sql from sqlite_schema order by 1")) {
    content += str(row[0], ' ', row[1], '\n');
  }
  for (const Row& row : rowsOf(database, "select * from users order by 1")) {
    for (const std::string& value : row) content += str(value, ' ');
  }
  return content;
}

TEST(Runner, CarriesOutAllStatementsAndTellsTheRows) {
  Database database({});
  with(database, kUsers);
  with(database, kPosts);
  const MigrationResult result =
      runMigration(database,
                   "-- first\ncreate table logs (text text) strict;\n"
                   "insert into users (id) values (20);;\n"
                   "/* last */ create trigger t after insert on users begin"
                   " insert into logs select case when 1 then 'x' end; end;");
  ASSERT_EQ(result.tables.size(), 1u);  // `logs` was not there.
  EXPECT_EQ(result.tables[0].name, "users");
  EXPECT_EQ(result.tables[0].rowsBefore, 4);
  EXPECT_EQ(result.tables[0].rowsAfter, 5);
  EXPECT_FALSE(database.inTransaction());
  EXPECT_TRUE(hasForeignKeys(database));
}

TEST(Runner, TellsProgressOfEachStatementAndWhileOneRuns) {
  Database database({});
  std::vector<std::size_t> statements;
  std::uint64_t rows = 0;
  bool hasOrder = true;
  runMigration(database,
               "create table numbers (n integer primary key) strict;"
               "insert into numbers with recursive n(i) as (values (1) union all select i + 1 from"
               " n limit 1500000) select i from n;",
               {.progress = [&](const MigrationProgress& progress) {
                 EXPECT_EQ(progress.statements, 2u);
                 hasOrder =
                     hasOrder && (statements.empty() || progress.statement > statements.back() ||
                                  progress.rows >= rows);
                 statements.push_back(progress.statement);
                 rows = progress.rows;
                 if (progress.statement == 1) {
                   EXPECT_TRUE(progress.sql.starts_with("create"));
                 }
               }});
  EXPECT_TRUE(hasOrder);
  EXPECT_EQ(statements.front(), 1u);
  EXPECT_EQ(statements.back(), 3u);
  EXPECT_GT(std::ranges::count(statements, 2u), 1) << "none while the statement ran";
}

// What goes wrong, and what is said.
struct Failure {
  const char* name;
  std::string_view sql;
  ErrorCode code;
  std::string message;
};

class FailingRun : public testing::TestWithParam<Failure> {};

TEST_P(FailingRun, LeavesEverythingAsItWas) {
  Database database({});
  with(database, kUsers);
  with(database, kPosts);
  const std::string before = contentOf(database);
  expectError(GetParam().code, GetParam().message, [&] { runMigration(database, GetParam().sql); });
  EXPECT_EQ(contentOf(database), before);
  EXPECT_TRUE(hasForeignKeys(database));
  EXPECT_FALSE(database.inTransaction());
}

constexpr std::string_view kTransaction =
    "a migration is one transaction, which begins before its SQL and is committed after the checks "
    "behind it; take BEGIN, COMMIT, ROLLBACK and SAVEPOINT out of it";

const Failure kFailures[] = {
    {"NullsInACopy",
     "create table other (a text);"
     "create table \"__schemascript_new_users\" (id integer primary key, email text not null);"
     "insert into \"__schemascript_new_users\" (id, email) select id, email from users;"
     "drop table users;",
     ErrorCode::Conflict,
     "statement 3 of 4: rows of users do not fit what it becomes\n"
     "  2 rows (id 7, id 9): users.email must not be NULL (SQLITE_CONSTRAINT_NOTNULL)"},
    {"DuplicatesInACopy",
     "create table \"__schemascript_new_users\" (id integer primary key, email text unique);"
     "insert into \"__schemascript_new_users\" (id, email) select id, email from \"users\" ;",
     ErrorCode::Conflict,
     "statement 2 of 2: rows of users do not fit what it becomes\n"
     "  1 row (id 12): users.email must be unique (SQLITE_CONSTRAINT_UNIQUE)"},
    {"TypesInACopy",
     "create table \"__schemascript_new_users\" (id integer primary key, age integer) strict;"
     "insert into \"__schemascript_new_users\" (id, age) select id, age from users;",
     ErrorCode::Conflict,
     "statement 2 of 2: rows of users do not fit what it becomes\n"
     "  1 row (id 12): users.age must be INTEGER, not REAL (SQLITE_CONSTRAINT_DATATYPE)\n"
     "  1 row (id 7): users.age must be INTEGER, not TEXT (SQLITE_CONSTRAINT_DATATYPE)"},
    {"DuplicatesUnderAnIndex", "create unique index u on users (email desc, lower(email));",
     ErrorCode::Conflict,
     "statement 1 of 1: index u cannot be made: 2 rows of users have email, lower ( email ) like "
     "another one (id 4 and 12); change them first"},
    {"ParentsThatGo", "delete from users where id > 4;", ErrorCode::Conflict,
     "rows would be left without what they refer to:\n  posts: 2 rows have no row in users (id 2, "
     "id 3)\ndelete these rows, or let them refer to others, and try again"},
    {"RowsThatGo", "delete from posts where id = 2;", ErrorCode::Conflict,
     "rows would be lost:\n  posts: 3 rows before, 2 after\nallow it by name, --allow-loss posts, "
     "or change the migration"},
    {"ATableThatGoes", "drop table posts;", ErrorCode::Conflict,
     "rows would be lost:\n  posts: 3 rows before, the table is gone\nallow it by name, "
     "--allow-loss posts, or change the migration"},
    {"Begin", "begin; delete from users;", ErrorCode::NotAllowed,
     str("statement 1 of 2: ", kTransaction)},
    {"Commit", "delete from posts; commit;", ErrorCode::NotAllowed,
     str("statement 2 of 2: ", kTransaction)},
    {"Savepoint", "savepoint a;", ErrorCode::NotAllowed, str("statement 1 of 1: ", kTransaction)},
    {"Settings", "pragma journal_mode = delete;", ErrorCode::NotAllowed,
     "statement 1 of 1: PRAGMA journal_mode can be read, not set"},
    {"OtherFiles", "attach 'x.db' as x;", ErrorCode::NotAllowed,
     "statement 1 of 1: ATTACH, DETACH and VACUUM are not available in a migration, which changes "
     "one database"},
    {"Vacuum", "vacuum;", ErrorCode::InvalidRequest,
     "statement 1 of 1: cannot VACUUM from within a transaction"},
    {"Temporary", "create temp table t (a);", ErrorCode::NotAllowed,
     "statement 1 of 1: temporary tables, indexes, views and triggers are not available; they "
     "would outlive the run"},
    {"TheRecord", "create table __schemascript_migrations (a);", ErrorCode::NotAllowed,
     "statement 1 of 1: names that begin with __schemascript_ belong to the host; tables so called "
     "can be neither read nor changed"},
    {"Nonsense", "create table logs (a text); selec 1;", ErrorCode::InvalidRequest,
     "statement 2 of 2: near \"selec\": syntax error at line 1, column 29"},
    {"ParametersThatNobodyGives", "insert into users (id) values (?);", ErrorCode::InvalidRequest,
     "statement 1 of 1: the statement has 1 parameter, the request 0"},
};

INSTANTIATE_TEST_SUITE_P(Runner, FailingRun, testing::ValuesIn(kFailures),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Runner, TellsDanglingRowsThatWereThereBeforeFromNewOnes) {
  Database database({});
  with(database, kUsers);
  with(database, kPosts);
  with(database,
       "pragma foreign_keys = off; insert into posts values (50, 99);"
       "pragma foreign_keys = on;");
  runMigration(
      database, "alter table posts rename to articles;",
      {.renames = std::vector<Rename>{{.table = "articles", .column = {}, .was = "posts"}}});
  const Error error = errorOf([&] {
    runMigration(database, "delete from users where id = 7;",
                 {.mayLose = std::vector<std::string>{"USERS"}});
  });
  EXPECT_EQ(error.message(),
            "rows would be left without what they refer to:\n"
            "  articles: 2 rows have no row in users, 1 of them before (id 2, id 50)\n"
            "delete these rows, or let them refer to others, and try again");
}

TEST(Runner, CountsTheRowsOfARenamedTable) {
  Database database({});
  with(database, kUsers);
  const std::vector<Rename> renames{{.table = "members", .column = {}, .was = "users"}};
  const MigrationResult result =
      runMigration(database, "alter table users rename to members;", {.renames = renames});
  ASSERT_EQ(result.tables.size(), 1u);
  EXPECT_EQ(result.tables[0].name, "members");
  EXPECT_EQ(result.tables[0].was, "users");
  EXPECT_EQ(result.tables[0].rowsAfter, 4);
  EXPECT_FALSE(result.tables[0].isGone);
}

TEST(Runner, ComparesTheSchemaAtTheEnd) {
  Database database({});
  const Schema wanted = schemaOf("create table users (id integer primary key) strict;");
  expectError(ErrorCode::Conflict,
              "the SQL does not lead to the schema that the migration is for\n"
              "  table user: not wanted\n  table users: missing",
              [&] {
                runMigration(database, "create table user (id integer primary key) strict;",
                             {.wanted = &wanted});
              });
  runMigration(database, "create table users (id integer primary key) strict;",
               {.wanted = &wanted});
}

TEST(Runner, EndsWithoutChangesWhenItIsInterrupted) {
  Database database({});
  with(database, kUsers);
  std::jthread stopper;
  const Error error = errorOf([&] {
    runMigration(
        database,
        "delete from users; insert into users (id) with recursive n(i) as (values (1) union"
        " all select i + 1 from n) select i from n;",
        {.progress = [&](const MigrationProgress& progress) {
          if (progress.statement == 2 && !stopper.joinable()) {
            stopper = std::jthread([&] { database.interrupt(); });
          }
        }});
  });
  EXPECT_EQ(error.code(), ErrorCode::LimitExceeded);
  stopper.join();
  database.startRun(std::chrono::seconds(1));
  EXPECT_EQ(rowsOf(database, "select count(*) from users"), (Rows{{"4"}}));
  EXPECT_TRUE(hasForeignKeys(database));
}

TEST(Runner, UndoesAllThatACallerDoesInBetween) {
  Database database({});
  with(database, kUsers);
  const auto fail = [](Database&) { throw conflict("no"); };
  const auto write = [](Database& target) { runAll(target, "insert into users (id) values (30)"); };
  for (const RunnerOptions& options :
       {RunnerOptions{.begun = fail}, RunnerOptions{.begun = write, .data = fail},
        RunnerOptions{.data = write, .checked = fail}}) {
    expectError(ErrorCode::Conflict, "no", [&] {
      runMigration(database, "update users set age = 1; create table logs (a text);", options);
    });
    EXPECT_EQ(rowsOf(database, "select count(*), sum(age = 1) from users"), (Rows{{"4", "0"}}));
  }
}

TEST(Runner, KeepsAnotherProcessOutMeanwhileAndSaysWhoWaits) {
  TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "app.db";
  Database database({.file = file});
  with(database, kUsers);
  Limits limits;
  limits.busyTimeMax = std::chrono::milliseconds(20);
  Database other({.file = file, .limits = limits});
  runMigration(database, "update users set age = 1;", {.data = [&](Database&) {
                 EXPECT_THROW(runMigration(other, "update users set age = 2;"), Busy);
                 EXPECT_EQ(rowsOf(other, "select count(*) from users where age = 1"),
                           (Rows{{"0"}}));
               }});
  EXPECT_EQ(rowsOf(other, "select count(*) from users where age = 1"), (Rows{{"4"}}));
}

}  // namespace
}  // namespace schemascript
