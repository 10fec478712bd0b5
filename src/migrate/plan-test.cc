// Plans on databases with rows: named cases, and random pairs of schemas.
#include "migrate/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "base/testing.h"
#include "migrate/runner.h"
#include "migrate/testing.h"

namespace schemascript {
namespace {

class Planning : public testing::Test {
 protected:
  // `before` with `rows`, brought to `after`.
  void migrate(std::string_view before, std::string_view rows, std::string_view after,
               std::vector<Rename> renames = {}) {
    renames_ = renames;
    runAll(database_, before);
    runAll(database_, rows);
    from_ = readSchema(database_);
    to_ = schemaOf(after);
    migration_ = makeMigration(from_, to_, renames, "__schemascript_kept_");
    runMigration(database_, textOfUp(),
                 {.wanted = &to_, .renames = renames, .mayLose = lossesOf(migration_.up)});
    EXPECT_EQ(differencesBetween(to_, readSchema(database_)), std::vector<std::string>());
  }
  void goBack() {
    const std::vector<Rename> back = reversed(renames_);
    runMigration(database_, renderSteps(migration_.down),
                 {.wanted = &from_, .renames = back, .mayLose = lossesOf(migration_.down)});
    EXPECT_EQ(differencesBetween(from_, readSchema(database_)), std::vector<std::string>());
    EXPECT_EQ(rowsOf(database_, "select name from sqlite_schema where name like '%kept%'"), Rows());
  }
  std::string textOfUp() const { return renderSteps(migration_.up); }

  Database database_{DatabaseOptions{}};
  Schema from_;
  Schema to_;
  std::vector<Rename> renames_;
  Migration migration_;
};

constexpr std::string_view kUsers =
    "create table users (id integer primary key, name text not null, age integer) strict;";
constexpr std::string_view kAda = "insert into users values (1, 'Ada', 36), (2, 'Grace', null);";

TEST_F(Planning, AltersWhatSqliteCanAlter) {
  migrate(kUsers, kAda,
          "create table users (id integer primary key, name text not null, age integer,"
          " email text, points integer not null default 7) strict");
  EXPECT_EQ(textOfUp(),
            "-- users.email (safe): it is new\n"
            "ALTER TABLE \"users\" ADD COLUMN email text;\n"
            "\n"
            "-- users.points (safe): it is new\n"
            "ALTER TABLE \"users\" ADD COLUMN points integer not null default 7;\n");
  EXPECT_EQ(rowsOf(database_, "select name, email is null, points from users"),
            (Rows{{"Ada", "1", "7"}, {"Grace", "1", "7"}}));
  goBack();
}

TEST_F(Planning, KeepsWhatADroppedColumnHeld) {
  migrate(kUsers, kAda, "create table users (id integer primary key, name text not null) strict");
  EXPECT_EQ(migration_.up.front().kind, StepKind::Loss);
  runAll(database_, "insert into users values (3, 'Edsger'); delete from users where id = 2");
  goBack();
  EXPECT_EQ(rowsOf(database_, "select id, name, age from users"),
            (Rows{{"1", "Ada", "36"}, {"3", "Edsger", ""}}));
}

TEST_F(Planning, KeepsWhatADroppedTableHeld) {
  migrate(kUsers, kAda, "create table other (id integer primary key) strict");
  EXPECT_EQ(migration_.up.front().kind, StepKind::Loss);
  goBack();
  EXPECT_EQ(rowsOf(database_, "select id, name, age from users"),
            (Rows{{"1", "Ada", "36"}, {"2", "Grace", ""}}));
}

TEST_F(Planning, RenamesOnlyWhatItIsToldTo) {
  migrate(kUsers, kAda,
          "create table people (id integer primary key, title text not null, age integer) strict",
          {{"people", "", "users"}, {"people", "title", "name"}});
  EXPECT_EQ(rowsOf(database_, "select title from people"), (Rows{{"Ada"}, {"Grace"}}));
  EXPECT_FALSE(std::ranges::any_of(
      migration_.up, [](const MigrationStep& step) { return step.kind != StepKind::Safe; }));
  goBack();
  EXPECT_EQ(rowsOf(database_, "select name from users"), (Rows{{"Ada"}, {"Grace"}}));
}

TEST_F(Planning, SwapsNamesOfTables) {
  migrate(
      "create table a (id integer primary key, x text) strict;"
      "create table b (id integer primary key, y text) strict;",
      "insert into a values (1, 'a'); insert into b values (1, 'b');",
      "create table c (id integer primary key, x text) strict;"
      "create table a (id integer primary key, y text) strict;",
      {{"c", "", "a"}, {"a", "", "b"}});
  // `a` is there, and so it is what it is called.
  EXPECT_EQ(rowsOf(database_, "select count(*) from a"), (Rows{{"1"}}));
  goBack();
  EXPECT_EQ(rowsOf(database_, "select x, y from a, b"), (Rows{{"a", "b"}}));
}

TEST_F(Planning, GivesNullsTheDefaultAndTakesItBack) {
  migrate(kUsers, kAda,
          "create table users (id integer primary key, name text not null, age integer not null"
          " default 18) strict");
  EXPECT_EQ(rowsOf(database_, "select age from users"), (Rows{{"36"}, {"18"}}));
  runAll(database_, "insert into users values (3, 'Edsger', 18)");
  goBack();
  EXPECT_EQ(rowsOf(database_, "select coalesce(age, 'null') from users"),
            (Rows{{"36"}, {"null"}, {"18"}}));
}

TEST_F(Planning, ConvertsWhatFitsAndRefusesWhatDoesNot) {
  constexpr std::string_view kBefore = "create table a (id integer primary key, b text) strict;";
  constexpr std::string_view kAfter = "create table a (id integer primary key, b integer) strict";
  migrate(kBefore, "insert into a values (1, '12'), (2, null)", kAfter);
  EXPECT_EQ(rowsOf(database_, "select b, typeof(b) from a"),
            (Rows{{"12", "integer"}, {"", "null"}}));
  goBack();
  runAll(database_, "insert into a values (3, 'twelve')");
  EXPECT_THROW(runMigration(database_, textOfUp()), Error);
  EXPECT_EQ(rowsOf(database_, "select count(*) from a"), (Rows{{"3"}}));
  EXPECT_EQ(differencesBetween(from_, readSchema(database_)), std::vector<std::string>());
}

// Other tools lose them: DROP TABLE deletes the rows of a parent first, where foreign keys are on.
TEST_F(Planning, ChildRowsSurviveTheRebuildOfTheirParent) {
  const std::string children =
      "create table notes (id integer primary key, owner integer not null references users (id) on"
      " delete cascade, parent integer references notes (id) on delete cascade) strict;";
  migrate(str(kUsers, children), str(kAda, "insert into notes values (1, 1, null), (2, 2, 1);"),
          str("create table users (id integer primary key, name text not null, age text) strict;",
              children));
  EXPECT_EQ(rowsOf(database_, "select id, owner from notes"), (Rows{{"1", "1"}, {"2", "2"}}));
  EXPECT_EQ(rowsOf(database_, "pragma foreign_key_check"), Rows());
  runAll(database_, "delete from users where id = 1");
  EXPECT_EQ(rowsOf(database_, "select id from notes"), Rows());
  goBack();
}

// And write the names of columns that are not there, in double quotes, as texts.
TEST_F(Planning, ColumnNamesAreNeverWrittenAsData) {
  migrate(kUsers, kAda,
          "create table users (id integer primary key, name text not null, age text,"
          " nick text, word text not null default 'none') strict");
  EXPECT_EQ(rowsOf(database_, "select coalesce(nick, 'null'), word from users"),
            (Rows{{"null", "none"}, {"null", "none"}}));
  goBack();
}

// As Drizzle writes them.
TEST_F(Planning, RebuildsATableWhoseChecksNameIt) {
  constexpr std::string_view kBefore =
      "create table \"a b\" (id integer primary key, n integer, check (\"a b\".\"n\" > 0)) strict;";
  migrate(kBefore, "insert into \"a b\" values (1, 2)",
          "create table \"a b\" (id integer primary key, n text, check (\"a b\".\"n\" > 0),"
          " check ([A B] . n <> '\"a b\".n')) strict;");
  EXPECT_EQ(rowsOf(database_, "select n from \"a b\""), (Rows{{"2"}}));
  goBack();
}

TEST_F(Planning, KeepsIndexesTriggersViewsAndSearch) {
  const auto schema = [](std::string_view age) {
    return str("create table users (id integer primary key autoincrement, name text not null, age ",
               age,
               ") strict;"
               "create index users_name on users (name) where age is not null;"
               "create virtual table found using fts5(name, content='users', content_rowid='id');"
               "create trigger users_added after insert on users begin"
               "  insert into found (rowid, name) values (new.id, new.name); end;"
               "create view adults as select name from users where age > 17;"
               "create view few as select name from adults limit 1;");
  };
  migrate(schema("integer"), kAda, schema("text"));
  EXPECT_EQ(rowsOf(database_, "select name from few"), (Rows{{"Ada"}}));
  runAll(database_, "delete from users where id = 2; insert into users (name) values ('Alan')");
  EXPECT_EQ(rowsOf(database_, "select id from users where name = 'Alan'"), (Rows{{"3"}}));
  EXPECT_EQ(rowsOf(database_, "select rowid from found('alan')"), (Rows{{"3"}}));
  EXPECT_EQ(rowsOf(database_, "select rowid from found('ada')"), (Rows{{"1"}}));
  goBack();
}

}  // namespace
}  // namespace schemascript
