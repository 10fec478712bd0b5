#include "migrate/push.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing.h"
#include "bridge/session.h"
#include "database/connection-pool.h"

namespace schemascript {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kUsers =
    "create table \"users\" (\"id\" integer primary key not null, \"email\" text not null,"
    " \"role\" text default 'guest' not null check (role in ('admin', 'guest')))  strict;\n";
constexpr std::string_view kEmail = "create unique index users_email_unique on users (\"email\");";

constexpr std::string_view kNotes =
    "CREATE TABLE \"notes\" (\"id\" INTEGER PRIMARY KEY, \"title\" TEXT NOT NULL,"
    " \"body\" TEXT NOT NULL) STRICT;\n";
// As the schema language writes it.
constexpr std::string_view kSearch = R"J(
CREATE VIRTUAL TABLE "notes_search" USING fts5("title", "body", content='notes', content_rowid='id');
CREATE TRIGGER "notes_search_insert" AFTER INSERT ON "notes" BEGIN
  INSERT INTO "notes_search" (rowid, "title", "body") VALUES (new."id", new."title", new."body");
END;
CREATE TRIGGER "notes_search_delete" AFTER DELETE ON "notes" BEGIN
  INSERT INTO "notes_search" ("notes_search", rowid, "title", "body") VALUES ('delete', old."id", old."title", old."body");
END;
CREATE TRIGGER "notes_search_update" AFTER UPDATE OF "id", "title", "body" ON "notes" BEGIN
  INSERT INTO "notes_search" ("notes_search", rowid, "title", "body") VALUES ('delete', old."id", old."title", old."body");
  INSERT INTO "notes_search" (rowid, "title", "body") VALUES (new."id", new."title", new."body");
END;
)J";

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

  static Limits small() {
    Limits limits;
    limits.schemaStatementsMax = 5;
    limits.schemaViewsMax = 1;
    limits.schemaTriggersMax = 1;
    return limits;
  }

  std::int64_t numberOf(std::string_view sql) {
    Statement statement = database_.prepare(sql, Rules::Guest);
    Execution execution(statement);
    EXPECT_TRUE(execution.step());
    return execution.column(0).integer;
  }

  std::int64_t found(std::string_view words) {
    return numberOf(
        str("select count(*) from notes where id in"
            " (select rowid from notes_search where notes_search match '",
            words, "')"));
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

TEST_F(PushTest, LeavesTheHostsTablesAlone) {
  database_.execute("create table __schemascript_x (a)", Rules::Host);
  EXPECT_EQ(push(database_, kUsers).created, Names{"table users"});
  EXPECT_EQ(push(database_, kUsers).created, Names{});
  EXPECT_EQ(countOf(database_, "__schemascript_x"), 1);
  EXPECT_EQ(errorOf([this] { push(database_, "create table __schemascript_x (a, b)"); }).code(),
            ErrorCode::NotAllowed);
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

TEST_F(PushTest, AddsColumnsThatSqliteCanAdd) {
  run("create table a (id integer primary key, b text) strict");
  run("insert into a (b) values ('kept')");
  const auto push = [this](std::string_view sql) { return schemascript::push(database_, sql); };
  constexpr std::string_view kWith =
      "create table \"a\" (\"id\" integer primary key, \"b\" text, \"c\" text, \"d, e\" integer "
      "not null"
      " default 7 check (\"d, e\" > 0), f integer references p (id) on delete cascade,"
      " g text generated always as (b || 'x') virtual) strict;"
      "create table p (id integer primary key) strict";
  EXPECT_EQ(push(kWith).created,
            (Names{"column a.c", "column a.d, e", "column a.f", "column a.g", "table p"}));
  EXPECT_EQ(numberOf("select count(*) from a where b = 'kept' and c is null and \"d, e\" = 7"
                     " and f is null and g = 'keptx'"),
            1);
  EXPECT_EQ(push(kWith).created, Names{});
  EXPECT_THROW(run("insert into a (\"d, e\") values (0)"), Error);
}

TEST_F(PushTest, AddsNoColumnThatRowsOrSqliteDoNotTake) {
  constexpr std::string_view kBefore = "create table a (id integer primary key, b text) strict";
  for (const char* column : {"c text not null", "c text unique", "c text not null default (hex(1))",
                             "c text generated always as (b) stored", "c integer primary key"}) {
    SCOPED_TRACE(column);
    Database database({});
    push(database, kBefore);
    database.execute("insert into a (b) values ('kept')", Rules::Guest);
    const std::string wanted =
        column == std::string_view("c integer primary key")
            ? str("create table a (id integer, b text, ", column, ") strict")
            : str("create table a (id integer primary key, b text, ", column, ") strict");
    EXPECT_THROW(push(database, wanted), Error);
    EXPECT_EQ(push(database, kBefore).created, Names{});
  }
  // All or nothing.
  Database database({});
  push(database, kBefore);
  database.execute("insert into a (b) values ('kept')", Rules::Guest);
  EXPECT_THROW(
      push(database,
           "create table a (id integer primary key, b text, c text, d text not null) strict"),
      Error);
  EXPECT_EQ(push(database, kBefore).created, Names{});
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
        "pragma user_version = 1", "select 1", "attach '/tmp/other.db' as other", "begin",
        "create temp view v as select 1", "create temp table b (a)",
        "create table a as with recursive n(x) as (select 1 union all select x from n)"
        " select x from n"}) {
    SCOPED_TRACE(sql);
    expectError(ErrorCode::NotAllowed,
                "a schema consists of CREATE statements: TABLE, INDEX, VIEW, TRIGGER, and VIRTUAL "
                "TABLE with fts5",
                [&] { push(database_, sql); });
  }
  expectError(ErrorCode::InvalidRequest, "table A already exists at line 1, column 34",
              [&] { push(database_, "create table a (b); create table A (b)"); });
  const Error error = errorOf([&] { push(database_, "create tabel a (b)"); });
  EXPECT_EQ(error.message(), "near \"tabel\": syntax error at line 1, column 8");
}

TEST_F(PushTest, TakesAllThatASchemaDeclares) {
  const std::string columns =
      "create table lines (\"order\" integer, \"number\" integer, price integer not null,"
      " total integer generated always as (\"price\" * 2) stored,"
      " label text GENERATED ALWAYS AS ('a' || \"number\") VIRTUAL,"
      " constraint \"lines_price_min\" check (\"price\" >= 0), primary key (\"order\", "
      "\"number\")) strict, without rowid;";
  const std::string indexes =
      "create index lines_dear on lines (\"order\", price * 2) where price > 10;"
      "create unique index lines_label on lines (lower(label));";
  const Names names{"table lines", "index lines_dear", "index lines_label"};
  EXPECT_EQ(push(database_, str(columns, indexes)).created, names);
  EXPECT_EQ(push(database_, str(columns, indexes)).unchanged, names);
}

TEST_F(PushTest, CreatesAViewAndCallsAnotherOneDifferent) {
  constexpr std::string_view users = "create table users (id integer primary key, name text);";
  const std::string view =
      str(users, "create view \"names\" (\"name\") as select \"name\" from \"users\";");
  EXPECT_EQ(push(database_, view).created, (Names{"table users", "view names"}));
  EXPECT_EQ(push(database_, view).created, Names{});
  EXPECT_EQ(
      push(database_, str(users, "CREATE VIEW Names(NAME) AS SELECT name -- all\n FROM [users]"))
          .unchanged,
      (Names{"table users", "view Names"}));
  run("insert into users (name) values ('Ada')");
  EXPECT_EQ(numberOf("select count(*) from names where name = 'Ada'"), 1);
  expectDifferences(view, str(users, "create view names (name) as select 'x' from users"),
                    {"view names: differs"});
  expectDifferences("create table users (a)",
                    "create table a (b); create view users as select b from a",
                    {"users: a view here, table in the database"});
  expectDifferences("create table a (b); create index users on a (b)",
                    "create table a (b); create view users as select b from a",
                    {"users: a view here, index in the database"});
  expectDifferences("create table a (b); create view i as select b from a",
                    "create table a (b); create index i on a (b)",
                    {"i: an index here, view in the database"});
}

TEST_F(PushTest, CreatesATriggerAndCallsAnotherOneDifferent) {
  constexpr std::string_view tables = "create table a (b, c); create table log (b);";
  const std::string trigger =
      str(tables, "create trigger a after insert on a begin insert into log values (new.b); end;",
          "create trigger a_c after update of c on a begin delete from log where b = old.c; end;");
  const Names names{"table a", "table log", "trigger a", "trigger a_c"};
  EXPECT_EQ(push(database_, trigger).created, names);
  EXPECT_EQ(push(database_, trigger).unchanged, names);
  run("insert into a values (1, 2)");
  EXPECT_EQ(numberOf("select count(*) from log"), 1);
  run("drop trigger a_c");
  EXPECT_EQ(push(database_, trigger).created, Names{"trigger a_c"});
  expectDifferences(
      trigger,
      str(tables, "create trigger A after insert on a begin insert into log values (new.c); end;"),
      {"trigger A: differs"});
  expectNoDifference(trigger, tables);
  // A trigger may have the name of a table.
  expectNoDifference(
      "create table log (b); create table a (b);"
      "create trigger later after delete on a begin delete from log; end",
      "create table a (b)");
}

TEST_F(PushTest, WritesThroughAViewByATrigger) {
  push(database_,
       "create table a (b); create view v (b) as select b from a;"
       "create trigger v_insert instead of insert on v begin insert into a values (new.b); end;"
       "create trigger v_update instead of update on v begin update a set b = new.b; end;"
       "create trigger v_delete instead of delete on v begin delete from a; end;");
  run("insert into v values (1)");
  run("update v set b = 2");
  EXPECT_EQ(numberOf("select b from a"), 2);
  run("delete from v");
  EXPECT_EQ(numberOf("select count(*) from a"), 0);
}

TEST_F(PushTest, CreatesASearchAndFillsIt) {
  push(database_, kNotes);
  run("insert into notes (title, body) values ('SQLite', 'small'), ('Wasm', 'SQLite beside it')");
  const std::string schema = str(kNotes, kSearch);
  EXPECT_EQ(push(database_, schema).created,
            (Names{"virtual table notes_search", "trigger notes_search_insert",
                   "trigger notes_search_delete", "trigger notes_search_update"}));
  EXPECT_EQ(found("sqlite"), 2);
  EXPECT_EQ(push(database_, schema).created, Names{});
  EXPECT_EQ(push(database_, schema).unchanged.size(), 5u);

  run("insert into notes (title, body) values ('FTS5', 'searches')");
  run("update notes set title = 'nothing' where id = 1");
  run("delete from notes where id = 2");
  EXPECT_EQ(found("sqlite"), 0);
  EXPECT_EQ(found("search*"), 1);
  run("insert into notes_search (notes_search) values ('integrity-check')");
}

TEST_F(PushTest, LetsLaterConnectionsKeepASearchInStep) {
  const TemporaryFolder folder;
  const std::string view = "create view found as select rowid from notes_search('words')";
  Database first({.file = folder / "a.db"});
  push(first, str(kNotes, kSearch, view));
  // Its own statement is the first thing that each of these does.
  const auto insert = [&] {
    Database later({.file = folder / "a.db"});
    later.execute("insert into notes (title, body) values ('words', '')", Rules::Guest);
  };
  insert();
  insert();
  {
    Database later({.file = folder / "a.db"});
    Statement statement = later.prepare("select count(*) from found", Rules::Guest);
    Execution execution(statement);
    EXPECT_TRUE(execution.step());
    EXPECT_EQ(execution.column(0).integer, 2);
    EXPECT_EQ(push(later, str(kNotes, kSearch, view)).created, Names{});
  }
  // The schema changes under a connection that is in use.
  first.execute("create table other (a)", Rules::Guest);
  Database other({.file = folder / "a.db"});
  other.execute("delete from notes", Rules::Guest);
  first.execute("drop table other", Rules::Guest);
  other.execute("insert into notes (title, body) values ('words', '')", Rules::Guest);
  first.execute("insert into notes (title, body) values ('words', '')", Rules::Guest);
  other.execute("insert into notes_search (notes_search) values ('integrity-check')", Rules::Guest);
}

TEST_F(PushTest, FillsASearchAgainWhoseTriggerWasMissing) {
  const std::string schema = str(kNotes, kSearch);
  push(database_, schema);
  run("drop trigger notes_search_insert");
  run("insert into notes (title, body) values ('SQLite', '')");
  EXPECT_EQ(found("sqlite"), 0);
  EXPECT_EQ(push(database_, schema).created, Names{"trigger notes_search_insert"});
  EXPECT_EQ(found("sqlite"), 1);
}

TEST_F(PushTest, LeavesASearchWithTextsOfItsOwnAsItIs) {
  for (const char* sql : {"create virtual table words using fts5 (word, tokenize = 'porter')",
                          "create virtual table marks using fts5 (mark, content = '')"}) {
    EXPECT_EQ(push(database_, sql).created.size(), 1u);
    EXPECT_EQ(push(database_, sql).unchanged.size(), 1u);
  }
}

TEST_F(PushTest, ShowsHowASearchDiffers) {
  const std::string schema = str(kNotes, kSearch);
  expectDifferences(schema,
                    str(kNotes,
                        "create virtual table notes_search using fts5(title,"
                        " content='notes', content_rowid='id');"),
                    {"virtual table notes_search: differs"});
  expectDifferences(schema, "create table notes_search (a)",
                    {"notes_search: a table here, virtual table in the database"});
  expectDifferences(schema, "create table notes_search_data (a)",
                    {"notes_search_data: a table here, part of a virtual table in the database"});
  expectDifferences("create table notes_search (a)", schema,
                    {
                        "notes_search: a virtual table here, table in the database",
                    });
  expectDifferences("create table notes_search_content (a)", schema,
                    {"virtual table notes_search: notes_search_content of the database has the "
                     "name of a part of it"});
  expectNoDifference(schema, kNotes);
}

TEST_F(PushTest, RefusesASearchOfWhatTheSchemaDoesNotHave) {
  const auto expectRefused = [&](std::string_view sql, std::string_view message) {
    SCOPED_TRACE(sql);
    expectError(ErrorCode::InvalidRequest, message, [&] { push(database_, sql); });
  };
  run("create table other (a)");
  expectRefused("create virtual table s using fts5 (a, content = 'other')",
                "virtual table s: the schema has no table other to search");
  expectRefused("create virtual table s using fts5 (a, content = sqlite_schema)",
                "virtual table s: the schema has no table sqlite_schema to search");
  expectRefused("create virtual table s using fts5 (a, cont = 'other')",
                "virtual table s: there is no option cont; write names of options in full");
  expectRefused("create table t (b); create virtual table s using fts5 (a, content = 't')",
                "virtual table s: t does not have the columns and the rowid that it names");
  expectRefused("create table s_content (a); create virtual table s using fts5 (a, content = '')",
                "virtual table s: s_content has the name of a part of it; rename one");
  expectRefused("create virtual table s using fts5 (a, content=''); create table s_content (a)",
                "object name reserved for internal use: s_content");
  expectRefused("create virtual table s using fts5 (a); create index i on s_data (block)",
                "index i: s_data is a part of a virtual table");
  expectError(ErrorCode::NotAllowed,
              "the virtual tables of a schema are of the module fts5, not rtree",
              [&] { push(database_, "create virtual table s using rtree (id, a, b)"); });
}

TEST_F(PushTest, RefusesWhatViewsAndTriggersMayNotUse) {
  run("create table other (a)");
  const auto expectRefused = [&](ErrorCode code, std::string_view sql, std::string_view message) {
    SCOPED_TRACE(sql);
    expectError(code, message, [&] { push(database_, str("create table t (a, b);", sql)); });
    EXPECT_EQ(countOf(database_, "t"), 0);
  };
  expectRefused(ErrorCode::InvalidRequest, "create view v as select a from other",
                "view v: no such table: main.other");
  expectRefused(ErrorCode::InvalidRequest, "create view v as select c from t",
                "view v: no such column: c");
  expectRefused(ErrorCode::NotAllowed, "create view v as select sql from sqlite_schema",
                "view v: views and triggers of a schema use its own tables, not sqlite_master");
  // Where SQLite does not trust schemas, it refuses this before the authorizer is asked.
  const Error pragma = errorOf([&] {
    push(database_, "create table t (a); create view v as select * from pragma_table_info('t')");
  });
  const std::string own =
      "view v: views and triggers of a schema use its own tables, not pragma_table_info";
  EXPECT_TRUE(pragma.message() == own ||
              pragma.message() == "view v: unsafe use of virtual table \"pragma_table_info\"")
      << pragma.message();
  expectRefused(ErrorCode::NotAllowed, "create view v as select sqlite_compileoption_get(1)",
                "view v: the SQL function sqlite_compileoption_get is not available");
  expectRefused(ErrorCode::InvalidRequest,
                "create view v as select 1; create view w as select * "
                "from v; create view x (a, b) as select * from w",
                "view x: expected 2 columns for 'x' but got 1");
  expectRefused(ErrorCode::InvalidRequest,
                "create view v as select * from w; create view w as select * from v",
                "view v: view v is circularly defined");
  for (const char* event : {"insert", "update of b", "delete"}) {
    expectRefused(
        ErrorCode::InvalidRequest,
        str("create trigger r after ", event, " on t begin insert into other values (1); end"),
        "trigger r: no such table: main.other");
    expectRefused(
        ErrorCode::NotAllowed,
        str("create trigger r before ", event, " on t when sqlite_source_id() begin select 1; end"),
        "trigger r: the SQL function sqlite_source_id is not available");
  }
  expectRefused(
      ErrorCode::NotAllowed,
      "create table u (id integer primary key autoincrement);"
      "create trigger r after insert on t begin delete from sqlite_sequence; end",
      "trigger r: views and triggers of a schema use its own tables, not sqlite_sequence");
  expectRefused(ErrorCode::NotAllowed, "create table u (a default (sqlite_source_id()))",
                "table u: the SQL function sqlite_source_id is not available");
  for (const char* sql : {"create table u (a, b as (a || sqlite_source_id()))",
                          "create table u (a check (sqlite_source_id()))",
                          "create index i on t (b) where a > sqlite_source_id()"}) {
    expectRefused(ErrorCode::NotAllowed, sql, "the SQL function sqlite_source_id is not available");
  }
  EXPECT_NO_THROW(push(database_, "create table t (a default (upper('(x')), b default guest)"));
}

TEST_F(PushTest, TakesAForeignKeyToATableOfTheDatabase) {
  run("create table other (id integer primary key)");
  EXPECT_EQ(push(database_, "create table t (a integer references other (id))").created,
            Names{"table t"});
}

TEST_F(PushTest, BoundsWhatASchemaMayBe) {
  const auto expectLimit = [](std::string_view schema, std::string_view message) {
    expectError(ErrorCode::LimitExceeded, message, [&] {
      Database database({.limits = small()});
      push(database, schema);
    });
  };
  const auto expectAllowed = [](std::string_view schema) {
    Database database({.limits = small()});
    EXPECT_NO_THROW(push(database, schema));
  };
  const std::string five =
      "create table a (b);;;;create table b (b);create table c (b);"
      "create table d (b);create table e (b);";
  expectAllowed(five);
  expectLimit(str(five, "create table f (b)"),
              "the schema has more than 5 statements; schemaStatementsMax is the limit");
  const std::string view = "create view v as select 1;";
  expectAllowed(view);
  expectLimit(str(view, "create view w as select 1"),
              "the schema has more than 1 views; schemaViewsMax is the limit");
  const std::string trigger =
      "create table a (b); create trigger r after insert on a begin select 1; end;";
  expectAllowed(trigger);
  expectLimit(str(trigger, "create trigger s after insert on a begin select 1; end;"),
              "the schema has more than 1 triggers; schemaTriggersMax is the limit");
}

TEST_F(PushTest, BoundsViewsOfViews) {
  const auto doubled = [](int times) {
    std::string schema = "create table v0 (a);";
    for (int i = 0; i < times; ++i) {
      schema += str("create view v", i + 1, " as select a from (select * from V", i,
                    " union all select * from \"v", i, "\");");
    }
    return schema;
  };
  EXPECT_EQ(push(database_, doubled(6)).created.size(), 7u);
  expectError(ErrorCode::LimitExceeded,
              "the views and triggers of the schema, with the views that they read written out, "
              "have more than 1000000 tokens; schemaTokensMax is the limit",
              [&] { push(database_, doubled(30)); });
}

TEST_F(PushTest, HasRoomForTheDeepestTriggersAndViews) {
  const Limits limits;
  std::string schema = "create table t0 (a); create view v0 as select a from t0;";
  // Each is compiled inside of the one before.
  for (std::uint32_t i = 0; i < limits.schemaTriggersMax; ++i) {
    schema +=
        str("create trigger r", i, " after insert on t0 begin insert into t0 values (1); end;");
  }
  for (std::uint32_t i = 1; i < 100; ++i) {
    schema += str("create view v", i, " as select a from v", i - 1, ";");
  }
  EXPECT_NO_THROW(push(database_, schema));
}

TEST_F(PushTest, CreatesNothingWhenASearchCannotBeFilled) {
  push(database_, kNotes);
  run("insert into notes (title, body) select 'title', 'some words of a body' from"
      " (with recursive n (x) as (select 1 union all select x + 1 from n where x < 300000)"
      " select x from n)");
  std::thread watchdog([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    database_.interrupt();
  });
  EXPECT_EQ(errorOf([&] { push(database_, str(kNotes, kSearch)); }).code(),
            ErrorCode::LimitExceeded);
  watchdog.join();
  database_.startRun(std::chrono::milliseconds(100));
  EXPECT_EQ(countOf(database_, "notes_search"), 0);
  EXPECT_EQ(countOf(database_, "notes_search_data"), 0);
  EXPECT_FALSE(database_.inTransaction());
}

TEST_F(PushTest, StopsWhenInterrupted) {
  database_.interrupt();
  EXPECT_EQ(errorOf([&] { push(database_, kUsers); }).code(), ErrorCode::LimitExceeded);
  EXPECT_FALSE(database_.inTransaction());
}

TEST_F(PushTest, SucceedsFromTwoSidesAtOnce) {
  for (int round = 0; round < 10; ++round) {
    const TemporaryFolder folder;
    {
      Database create({.file = folder / "a.db"});
    }
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
  ConnectionPool pool({});
  Session session(pool, {.pusher = push});
  const std::string_view request = R"J({"method":"push","sql":"create table a (b)"})J";
  EXPECT_GT(session.query(std::as_bytes(std::span(request))), 0u);
  std::string answer(100, '\0');
  answer.resize(session.copyResult(std::as_writable_bytes(std::span(answer))));
  EXPECT_EQ(answer, R"J({"created":["table a"],"unchanged":[]})J");
}

}  // namespace
}  // namespace schemascript
