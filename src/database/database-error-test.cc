#include "database/database-error.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/testing.h"
#include "database/database.h"

namespace schemascript {
namespace {

class DatabaseErrorTest : public testing::Test {
 protected:
  DatabaseErrorTest() {
    run("create table users (id integer primary key, email text not null unique,"
        " age integer constraint adult check (age > 17), a integer, b integer, unique (a, b)) "
        "strict");
    run("create table notes (id integer primary key, author_id integer references users (id),"
        " title text)");
    run("create table tags (note_id integer references notes (id), user_id integer references "
        "users,"
        " name text primary key) without rowid");
    run("insert into users (id, email, age) values (1, 'ada@example.com', 36)");
    run("insert into notes values (1, 1, 'first')");
  }

  void run(std::string_view sql, std::vector<ValueView> values = {}) {
    database_.prepare(sql, Rules::Guest).run(values);
  }

  Error failureOf(std::string_view sql, std::vector<ValueView> values = {}) {
    return errorOf([&] { run(sql, std::move(values)); });
  }

  // Also that what failed has changed nothing.
  void expectViolation(std::string_view sql, const std::string& message,
                       const DatabaseErrorDetail& wanted) {
    SCOPED_TRACE(sql);
    const Error error = failureOf(sql);
    EXPECT_EQ(nameOf(error.code()), "conflict");
    EXPECT_EQ(error.message(), message);
    ASSERT_NE(error.detail(), nullptr);
    EXPECT_EQ(error.detail()->violation, wanted.violation);
    EXPECT_EQ(error.detail()->table, wanted.table);
    EXPECT_EQ(error.detail()->columns, wanted.columns);
    EXPECT_EQ(error.detail()->constraint, wanted.constraint);
    EXPECT_EQ(error.detail()->sqliteCode, wanted.sqliteCode);
    EXPECT_EQ(error.detail()->extendedCode, wanted.extendedCode);
  }

  Database database_{{}};
};

TEST_F(DatabaseErrorTest, NamesTheColumnThatMustBeUnique) {
  expectViolation("insert into users (email) values ('ada@example.com')",
                  "users.email must be unique (SQLITE_CONSTRAINT_UNIQUE)",
                  {.violation = "unique",
                   .table = "users",
                   .columns = {"email"},
                   .sqliteCode = "SQLITE_CONSTRAINT_UNIQUE",
                   .extendedCode = 2067});
}

TEST_F(DatabaseErrorTest, NamesTheColumnsThatMustBeUniqueTogether) {
  run("update users set a = 1, b = 2");
  expectViolation("insert into users (email, a, b) values ('b', 1, 2)",
                  "users.a and users.b must be unique together (SQLITE_CONSTRAINT_UNIQUE)",
                  {.violation = "unique",
                   .table = "users",
                   .columns = {"a", "b"},
                   .sqliteCode = "SQLITE_CONSTRAINT_UNIQUE",
                   .extendedCode = 2067});
}

TEST_F(DatabaseErrorTest, NamesAnIndexOfExpressions) {
  run("create unique index users_lower on users (lower(email))");
  expectViolation("insert into users (email) values ('ADA@example.com')",
                  "rows must be unique in the index users_lower (SQLITE_CONSTRAINT_UNIQUE)",
                  {.violation = "unique",
                   .table = "users",
                   .constraint = "users_lower",
                   .sqliteCode = "SQLITE_CONSTRAINT_UNIQUE",
                   .extendedCode = 2067});
}

TEST_F(DatabaseErrorTest, NamesThePrimaryKey) {
  expectViolation("insert into users (id, email) values (1, 'b')",
                  "users.id must be unique (SQLITE_CONSTRAINT_PRIMARYKEY)",
                  {.violation = "primary-key",
                   .table = "users",
                   .columns = {"id"},
                   .sqliteCode = "SQLITE_CONSTRAINT_PRIMARYKEY",
                   .extendedCode = 1555});
}

TEST_F(DatabaseErrorTest, NamesTableAndColumnWhenTheirNamesHoldDotsAndCommas) {
  run("create table \"a.b\" (\"c, d\" text unique, \"e.f\" text not null)");
  run("insert into \"a.b\" values ('x', 'y')");
  expectViolation("insert into \"a.b\" values ('x', 'y')",
                  "a.b.c, d must be unique (SQLITE_CONSTRAINT_UNIQUE)",
                  {.violation = "unique",
                   .table = "a.b",
                   .columns = {"c, d"},
                   .sqliteCode = "SQLITE_CONSTRAINT_UNIQUE",
                   .extendedCode = 2067});
  expectViolation("insert into \"a.b\" values ('z', null)",
                  "a.b.e.f must not be NULL (SQLITE_CONSTRAINT_NOTNULL)",
                  {.violation = "not-null",
                   .table = "a.b",
                   .columns = {"e.f"},
                   .sqliteCode = "SQLITE_CONSTRAINT_NOTNULL",
                   .extendedCode = 1299});
}

TEST_F(DatabaseErrorTest, NamesTheColumnThatMustNotBeNull) {
  expectViolation("insert into users (email) values (null)",
                  "users.email must not be NULL (SQLITE_CONSTRAINT_NOTNULL)",
                  {.violation = "not-null",
                   .table = "users",
                   .columns = {"email"},
                   .sqliteCode = "SQLITE_CONSTRAINT_NOTNULL",
                   .extendedCode = 1299});
}

TEST_F(DatabaseErrorTest, NamesTheCheck) {
  expectViolation("update users set age = 3",
                  "the row of users does not pass CHECK adult (SQLITE_CONSTRAINT_CHECK)",
                  {.violation = "check",
                   .table = "users",
                   .constraint = "adult",
                   .sqliteCode = "SQLITE_CONSTRAINT_CHECK",
                   .extendedCode = 275});
}

TEST_F(DatabaseErrorTest, NamesTheColumnOfAWrongType) {
  expectViolation("update users set age = 'old'",
                  "users.age must be INTEGER, not TEXT (SQLITE_CONSTRAINT_DATATYPE)",
                  {.violation = "type",
                   .table = "users",
                   .columns = {"age"},
                   .sqliteCode = "SQLITE_CONSTRAINT_DATATYPE",
                   .extendedCode = 3091});
  expectViolation(
      "insert into notes (id) values ('one')",
      "an INTEGER PRIMARY KEY of notes must be an integer (SQLITE_MISMATCH)",
      {.violation = "type", .table = "notes", .sqliteCode = "SQLITE_MISMATCH", .extendedCode = 20});
}

TEST_F(DatabaseErrorTest, NamesTheForeignKeyOfTheWrittenTable) {
  expectViolation("insert into notes values (2, 99, 'second')",
                  "notes.author_id must name an existing users.id (SQLITE_CONSTRAINT_FOREIGNKEY)",
                  {.violation = "foreign-key",
                   .table = "notes",
                   .columns = {"author_id"},
                   .sqliteCode = "SQLITE_CONSTRAINT_FOREIGNKEY",
                   .extendedCode = 787});
}

TEST_F(DatabaseErrorTest, NamesTheForeignKeysThatItCanBe) {
  expectViolation(
      "insert into tags values (99, 99, 'red')",
      "tags.note_id must name an existing notes.id, or tags.user_id must name an existing "
      "users (SQLITE_CONSTRAINT_FOREIGNKEY)",
      {.violation = "foreign-key",
       .table = "tags",
       .sqliteCode = "SQLITE_CONSTRAINT_FOREIGNKEY",
       .extendedCode = 787});
  expectViolation(
      "update notes set author_id = 99",
      "notes.author_id must name an existing users.id, or a row of notes is still named by "
      "tags.note_id (SQLITE_CONSTRAINT_FOREIGNKEY)",
      {.violation = "foreign-key",
       .table = "notes",
       .sqliteCode = "SQLITE_CONSTRAINT_FOREIGNKEY",
       .extendedCode = 787});
}

TEST_F(DatabaseErrorTest, NamesWhoStillReferencesADeletedRow) {
  expectViolation("delete from users",
                  "a row of users is still named by notes.author_id or tags.user_id "
                  "(SQLITE_CONSTRAINT_FOREIGNKEY)",
                  {.violation = "foreign-key",
                   .table = "users",
                   .sqliteCode = "SQLITE_CONSTRAINT_FOREIGNKEY",
                   .extendedCode = 787});
}

TEST_F(DatabaseErrorTest, PassesOnWhatATriggerRaises) {
  run("create trigger t before delete on notes begin select raise(abort, 'notes are kept'); end");
  expectViolation("delete from notes", "notes are kept (SQLITE_CONSTRAINT_TRIGGER)",
                  {.sqliteCode = "SQLITE_CONSTRAINT_TRIGGER", .extendedCode = 1811});
}

TEST_F(DatabaseErrorTest, SaysWhereTheTextIsWrong) {
  expectError(ErrorCode::InvalidRequest, "near \"selec\": syntax error at line 1, column 1",
              [&] { run("selec 1"); });
  expectError(ErrorCode::InvalidRequest, "no such column: nmae at line 3, column 5",
              [&] { run("select id,\n  'äöü',\n    nmae\nfrom users"); });
  expectError(ErrorCode::InvalidRequest, "no such table: people",
              [&] { run("select * from people"); });
  expectError(ErrorCode::InvalidRequest, "no such function: missing at line 1, column 8",
              [&] { run("select missing(1)"); });
}

TEST_F(DatabaseErrorTest, ShortensWhatSqliteQuotesAtLength) {
  const Error error =
      failureOf(str("select ", std::string(10'000, '1'), "é\"", std::string(9'000, 'x')));
  EXPECT_LT(error.message().size(), 600u);
  EXPECT_NE(error.message().find("..."), std::string::npos);
}

TEST_F(DatabaseErrorTest, NeverHoldsABoundValue) {
  const ValueView secret = ValueView::ofText("s3cret");
  const ValueView path = ValueView::ofText("$[s3cret");
  run("create virtual table words using fts5 (word)");
  const ValueView search = ValueView::ofText("s3cret : x");
  const ValueView badSearch = ValueView::ofText("\"s3cret");
  run("update users set email = ?, age = 18", {secret});
  const Error errors[] = {
      failureOf("insert into users (email) values (?)", {secret}),
      failureOf("insert into users (email, age) values ('b', ?)", {secret}),
      failureOf("insert into users (id, email) values (?, 'b')", {secret}),
      failureOf("insert into notes (author_id) values (?)", {secret}),
      failureOf("select json_extract('[1]', ?)", {path}),
      failureOf("select json(?)", {secret}),
      failureOf("select * from words where words match ?", {search}),
      failureOf("select * from words where words match ?", {badSearch}),
      failureOf("insert into words (words) values (?)", {secret}),
      failureOf("select 1 limit ?", {secret}),
  };
  for (const Error& error : errors) {
    EXPECT_FALSE(error.message().empty());
    EXPECT_EQ(error.message().find("s3cret"), std::string::npos) << error.message();
  }
}

TEST_F(DatabaseErrorTest, KeepsTheRestOfWhatARunningStatementReports) {
  expectError(ErrorCode::InvalidRequest, "malformed JSON", [&] { run("select json('{')"); });
  expectError(ErrorCode::InvalidRequest, "integer overflow",
              [&] { run("select abs(-9223372036854775808)"); });
  expectError(ErrorCode::InvalidRequest, "datatype mismatch (SQLITE_MISMATCH)",
              [&] { run("select 1 limit 'x'"); });
}

TEST_F(DatabaseErrorTest, NamesTheConflictOfASnapshot) {
  const TemporaryFolder folder;
  Database first({.file = folder / "a.db"});
  first.execute("create table t (a)", Rules::Guest);
  Database second({.file = folder / "a.db"});
  first.execute("begin deferred", Rules::Host);
  first.execute("select * from t", Rules::Guest);
  second.execute("insert into t values (1)", Rules::Guest);
  expectError(
      ErrorCode::Unavailable,
      "this transaction read before somebody else wrote, so it cannot write any more; run it "
      "again, or begin it with behavior \"immediate\" (SQLITE_BUSY_SNAPSHOT)",
      [&] { first.execute("insert into t values (2)", Rules::Guest); });
  EXPECT_THROW(first.execute("insert into t values (2)", Rules::Guest), Busy);
  first.execute("rollback", Rules::Host);
}

TEST_F(DatabaseErrorTest, NamesTheFileThatSomebodyElseHolds) {
  const TemporaryFolder folder;
  Database first(
      {.file = folder / "a.db", .limits = {.busyTimeMax = std::chrono::milliseconds(7)}});
  first.execute("create table t (a)", Rules::Guest);
  Database second(
      {.file = folder / "a.db", .limits = {.busyTimeMax = std::chrono::milliseconds(7)}});
  first.execute("begin immediate", Rules::Host);
  try {
    second.execute("insert into t values (1)", Rules::Guest);
    FAIL();
  } catch (const Busy& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_EQ(
        error.message(),
        str("another process holds ", (folder / "a.db").string(),
            " for longer than busyTimeMax, which is 7ms; try again later, or end that process "
            "(SQLITE_BUSY)"));
    ASSERT_NE(error.detail(), nullptr);
    EXPECT_EQ(error.detail()->extendedCode, 5);
  }
  first.execute("rollback", Rules::Host);
}

TEST_F(DatabaseErrorTest, ThrowsEachFailureAsItsClass) {
  EXPECT_THROW(run("insert into users (email) values ('ada@example.com')"), UniqueViolation);
  EXPECT_THROW(run("insert into users (id, email) values (1, 'b')"), UniqueViolation);
  EXPECT_THROW(run("insert into notes values (2, 99, 'second')"), ForeignKeyViolation);
  EXPECT_THROW(run("insert into users (email) values (null)"), NotNullViolation);
  EXPECT_THROW(run("update users set age = 3"), CheckViolation);
  EXPECT_THROW(run("update users set age = 'old'"), ConstraintViolation);
  EXPECT_THROW(run("insert into notes (id) values ('one')"), ConstraintViolation);
  EXPECT_THROW(run("begin"), NotAllowed);
  EXPECT_THROW(run("select load_extension('x')"), NotAllowed);
  EXPECT_THROW(run(str("select 1 -- ", std::string(1 << 20, 'x'))), LimitExceeded);
  EXPECT_THROW(run("select zeroblob(50000001)"), LimitExceeded);
  const std::string large(50'000'001, 'x');
  EXPECT_THROW(run("select ?", {ValueView::ofText(large)}), LimitExceeded);
}

TEST_F(DatabaseErrorTest, ShowsBoundValuesToWhoeverAskedForThem) {
  const std::vector<ValueView> values{ValueView::ofInteger(1), ValueView::ofText("b \"\n\x01\\"),
                                      ValueView::ofReal(0.5), ValueView::ofNull(),
                                      ValueView::ofBlob("12345")};
  constexpr std::string_view kInsert =
      "insert into users (id, email, age, a, b) values (?,?,?,?,?)";
  const std::string usual = failureOf(kInsert, values).message();
  database_.displayBoundValues(BoundValueDisplay::Shown);
  EXPECT_EQ(
      failureOf(kInsert, values).message(),
      str(usual, "; values: [1, \"b \\\"\\u000a\\u0001\\\\\", 0.5, null, a blob of 5 bytes]"));
  EXPECT_EQ(failureOf("select json(?)", {ValueView::ofText("{")}).message(),
            "malformed JSON; values: [\"{\"]");
  // SQLite's own words are shown as they are, then.
  const std::string path =
      failureOf("select json_extract('[1]', ?)", {ValueView::ofText("$[x")}).message();
  EXPECT_TRUE(path.ends_with("[x'; values: [\"$[x\"]")) << path;
  EXPECT_EQ(failureOf("select json('{')").message(), "malformed JSON");
  const std::string large(50'000'001, 'x');
  const std::string tooLarge = failureOf("select ?", {ValueView::ofText(large)}).message();
  EXPECT_TRUE(
      tooLarge.ends_with(str("; values: [\"", std::string(60, 'x'), "\"... (50000001 bytes)]")))
      << tooLarge;
  database_.displayBoundValues(BoundValueDisplay::Hidden);
  EXPECT_EQ(failureOf(kInsert, values).message(), usual);
}

TEST(DescribeValues, HasABound) {
  EXPECT_EQ(describeValues({}), "");
  const std::string text = str(std::string(59, 'x'), "\u00e4y");
  EXPECT_EQ(describeValues(std::vector{ValueView::ofText(text)}),
            str("; values: [\"", std::string(59, 'x'), "\"... (62 bytes)]"));
  const std::vector<ValueView> many(32'766, ValueView::ofText(text));
  const std::string described = describeValues(many);
  EXPECT_LT(described.size(), 600u);
  EXPECT_TRUE(described.ends_with("and 32760 more]")) << described;
}

}  // namespace
}  // namespace schemascript
