#include "database/authorizer.h"

#include <gtest/gtest.h>

#include "base/testing.h"
#include "database/database.h"

namespace schemascript {
namespace {

class AuthorizerTest : public testing::Test {
 protected:
  AuthorizerTest() {
    run("create table users (id integer primary key, name text, age integer)");
    run("create table log (id integer primary key, rowid_of integer)");
  }

  void run(std::string_view sql) { database_.execute(sql, Rules::Guest); }
  void expectRefused(std::string_view sql, std::string_view reason) {
    SCOPED_TRACE(sql);
    expectError(ErrorCode::NotAllowed, reason, [&] { run(sql); });
  }

  Database database_{{}};
};

TEST_F(AuthorizerTest, LetsGuestsQueryAndChangeTheirDatabase) {
  for (const char* sql : {
           "insert into users (name) values ('Ada') returning id",
           "update users set age = coalesce(age, 0) + 1 where name like 'A%'",
           "select json_group_array(name), avg(age), group_concat(name) from users group by age",
           "select row_number() over (order by id) from users",
           "with recursive n(x) as (select 1 union all select x + 1 from n where x < 5)"
           " select sum(x) from n",
           "select strftime('%Y', 'now'), unixepoch(), sqrt(2), '{\"a\":1}' ->> 'a'",
           "select value from json_each('[1,2]')",
           "alter table users add column email text",
           "alter table users rename column email to mail",
           "alter table users drop column mail",
           "create unique index users_name on users (lower(name)) where age > 3",
           "create view adults as select * from users where age > 17",
           "create trigger t after insert on users begin insert into log (rowid_of) values "
           "(new.id); "
           "end",
           "create virtual table words using fts5 (word)",
           "insert into words values ('apple'), ('pear')",
           "select word, bm25(words) from words where words match 'apple' order by rank",
           "drop table words",
           "create virtual table places using rtree (id, x0, x1)",
           "analyze",
           "reindex users",
           "explain query plan select * from users",
           "delete from users",
           "drop trigger t",
           "drop view adults",
       }) {
    SCOPED_TRACE(sql);
    EXPECT_NO_THROW(run(sql));
  }
}

TEST_F(AuthorizerTest, RefusesTransactionsByHandAndShowsTheCall) {
  for (const char* sql : {"begin", "BEGIN IMMEDIATE", "commit", "end", "rollback", "savepoint a",
                          "release a", "rollback to a"}) {
    expectRefused(
        sql, "transactions are not opened or ended by SQL; use db.transaction(async (tx) => ...)");
  }
  EXPECT_FALSE(database_.inTransaction());
}

TEST_F(AuthorizerTest, RefusesOtherFiles) {
  for (const char* sql : {"attach '/tmp/other.db' as other", "detach main", "vacuum",
                          "vacuum into '/tmp/other.db'"}) {
    expectRefused(
        sql, "ATTACH, DETACH and VACUUM are not available; a session sees one database as it is");
  }
}

TEST_F(AuthorizerTest, RefusesFunctionsThatAreNotListed) {
  expectRefused("select load_extension('x')", "the SQL function load_extension is not available");
  expectRefused("select Sqlite_Compileoption_Get(1)",
                "the SQL function sqlite_compileoption_get is not available");
  expectRefused("create index i on users (sqlite_source_id())",
                "the SQL function sqlite_source_id is not available");
}

// A chain of thousands would overflow the stack of the thread that compiles it.
TEST_F(AuthorizerTest, HoldsTheDepthOfTriggers) {
  const auto chain = [this](std::uint32_t length) {
    const std::string name = str("chain", length, "_");
    run(str("create table ", name, "0 (a)"));
    for (std::uint32_t link = 1; link <= length; ++link) {
      run(str("create table ", name, link, " (a)"));
      run(str("create trigger ", name, "trigger", link, " after insert on ", name, link - 1,
              " begin insert into ", name, link, " values (1); end"));
    }
    return str("insert into ", name, "0 values (1)");
  };
  const std::uint32_t most = Limits{}.nestedTriggersMax;
  EXPECT_NO_THROW(database_.prepare(chain(most), Rules::Guest));
  expectRefused(chain(most + 1),
                "a statement may lead through 1500 triggers and views (nestedTriggersMax)");
}

TEST_F(AuthorizerTest, KeepsGuestsFromTheHostsTables) {
  constexpr std::string_view kReason =
      "names that begin with __schemascript_ belong to the host; tables so called can be neither "
      "read nor changed";
  database_.execute("create table __schemascript_x (id integer primary key, a)", Rules::Host);
  database_.execute("create view old as select a from __schemascript_x", Rules::Host);
  database_.execute("create trigger r after insert on log begin delete from __schemascript_x; end",
                    Rules::Host);
  database_.execute("create table child (a references __schemascript_x (id))", Rules::Host);
  database_.execute("insert into __schemascript_x values (1, 'secret')", Rules::Host);
  for (const char* sql :
       {"select a from __schemascript_x",
        "select count(*) from \"__SchemaScript_X\"",
        "select 1 from users where exists (select 1 from [__schemascript_x])",
        "with c as (select * from `__schemascript_x`) select * from c",
        "select * from old",
        "insert into log values (1, 1)",
        "insert into child values (1)",
        "insert into users (name) select a from __schemascript_x",
        "insert into __schemascript_x values (2, 2)",
        "update __schemascript_x set a = 2",
        "replace into main.__schemascript_x values (1, 2)",
        "delete from __schemascript_x",
        "update users set name = x.a from __schemascript_x as x",
        "drop table __schemascript_x",
        "alter table __schemascript_x rename to mine",
        "alter table __schemascript_x add column b",
        "alter table __schemascript_x drop column a",
        "alter table users rename to __SCHEMASCRIPT_mine",
        "alter table users add column x references __schemascript_x (a)",
        "create table __schemascript_y (a)",
        "create table y (a references __schemascript_x (a))",
        "create table y as select * from __schemascript_x",
        "create view v as select * from __schemascript_x",
        "create view __schemascript_v as select 1",
        "create index i on __schemascript_x (a)",
        "create index __schemascript_i on users (name)",
        "create trigger t after insert on __schemascript_x begin select 1; end",
        "create trigger t after insert on users begin delete from __schemascript_x; end",
        "create virtual table f using fts5 (a, content = '__schemascript_x')",
        "create virtual table __schemascript_f using fts5 (a)",
        "pragma table_info(__schemascript_x)",
        "pragma table_xinfo('__schemascript_x')",
        "pragma index_list(__schemascript_x)"}) {
    expectRefused(sql, kReason);
  }
  // Run inside of the table-valued function, whose error passes through SQLite as a text.
  EXPECT_THROW(run("select * from pragma_table_info('__schemascript_x')"), Error);
  Statement statement = database_.prepare("select a from __schemascript_x", Rules::Host);
  Execution execution(statement);
  ASSERT_TRUE(execution.step());
  EXPECT_EQ(execution.column(0).bytes, "secret");
  EXPECT_FALSE(execution.step());
}

TEST_F(AuthorizerTest, IsNotDisturbedByTheHostsTables) {
  database_.execute("create table __schemascript_x (a primary key)", Rules::Host);
  for (const char* sql : {"analyze", "reindex", "pragma integrity_check",
                          "alter table users rename to people", "select '__schemascript_x'",
                          "create table schemascript_x (a)", "select a from schemascript_x"}) {
    SCOPED_TRACE(sql);
    EXPECT_NO_THROW(run(sql));
  }
}

TEST_F(AuthorizerTest, RefusesFunctionsThatNoDeadlineStops) {
  expectRefused("select json_patch('{}', '{}')", "the SQL function json_patch is not available");
  expectRefused("select jsonb_patch('{}', '{}')", "the SQL function jsonb_patch is not available");
  expectRefused("select jsonb('{}')", "the SQL function jsonb is not available");
}

TEST_F(AuthorizerTest, LetsGuestsReadPragmasAndSetNone) {
  for (const char* sql : {"pragma table_info(users)", "pragma foreign_keys", "pragma user_version",
                          "select name from pragma_table_xinfo('users')", "pragma integrity_check",
                          "pragma defer_foreign_keys = on"}) {
    SCOPED_TRACE(sql);
    EXPECT_NO_THROW(run(sql));
  }
  expectRefused("pragma foreign_keys = off", "PRAGMA foreign_keys can be read, not set");
  expectRefused("pragma journal_mode = delete", "PRAGMA journal_mode can be read, not set");
  expectRefused("pragma user_version = 5", "PRAGMA user_version can be read, not set");
  expectRefused("pragma writable_schema = on", "PRAGMA writable_schema is not available");
  expectRefused("pragma temp_store_directory = '/tmp'",
                "PRAGMA temp_store_directory is not available");
}

TEST_F(AuthorizerTest, RefusesWhatWouldOutliveTheRun) {
  for (const char* sql : {"create temp table t (a)", "create temporary view v as select 1",
                          "create temp trigger t after insert on users begin select 1; end",
                          "create table temp.t (a)", "create table TEMP.t as select 1",
                          "create view \"temp\".v as select 1",
                          "create trigger temp.t after insert on users begin select 1; end",
                          "create trigger temp.t after insert on main.users begin select 1; end",
                          "create virtual table temp.t using fts5 (a)"}) {
    expectRefused(sql,
                  "temporary tables, indexes, views and triggers are not available; they would "
                  "outlive the run");
  }
}

TEST_F(AuthorizerTest, RefusesVirtualTablesThatAreNotListed) {
  expectRefused("create virtual table t using fts4 (a)",
                "virtual tables of the module fts4 are not available");
  expectRefused("create virtual table t using dbstat",
                "virtual tables of the module dbstat are not available");
}

// What they show is of other calls, or was deleted.
TEST_F(AuthorizerTest, HasNoTablesAboutTheConnectionOrItsPages) {
  for (const char* table :
       {"sqlite_stmt", "sqlite_dbpage", "dbstat", "bytecode", "tables_used", "fts3tokenize"}) {
    expectError(ErrorCode::InvalidRequest, str("no such table: ", table),
                [&] { run(str("select * from ", table)); });
  }
}

TEST_F(AuthorizerTest, KeepsTheSchemaTableFromBeingWritten) {
  expectError(ErrorCode::InvalidRequest, "table sqlite_master may not be modified",
              [&] { run("delete from sqlite_schema"); });
}

TEST_F(AuthorizerTest, DefinesASchemaAndNothingElse) {
  const auto define = [&](std::string_view sql) {
    database_.execute(sql, Rules::SchemaDefinition);
  };
  EXPECT_NO_THROW(
      define("create table a (id integer primary key autoincrement,"
             " b text check (length(b) < 9) unique, c text default (upper('x')))"));
  EXPECT_NO_THROW(define("create unique index a_b on a (lower(b)) where c is not null"));
  EXPECT_NO_THROW(define("create virtual table a_search using fts5 (b, content='a')"));
  EXPECT_NO_THROW(define("create view v as select b from a where c > (select 1)"));
  EXPECT_NO_THROW(define("create trigger a_c after insert on a begin delete from a; end"));
  for (const char* sql :
       {"create table b as select 1", "insert into a (b) values ('x')", "delete from a",
        "drop table a", "select 1", "alter table a rename to b", "begin", "pragma user_version",
        "create temp table t (a)", "create temp view v as select 1", "drop view v",
        "create table temp.t (a)", "create view temp.v as select 1",
        "create temp trigger t after insert on a begin select 1; end", "drop trigger a_c"}) {
    SCOPED_TRACE(sql);
    expectError(ErrorCode::NotAllowed,
                "a schema consists of CREATE statements: TABLE, INDEX, VIEW, TRIGGER, and VIRTUAL "
                "TABLE with fts5",
                [&] { define(sql); });
  }
  expectError(ErrorCode::NotAllowed,
              "the virtual tables of a schema are of the module fts5, not rtree",
              [&] { define("create virtual table w using rtree (id, x0, x1)"); });
  expectError(ErrorCode::NotAllowed, "the SQL function load_extension is not available",
              [&] { define("create table c (a check (load_extension(a)))"); });
}

TEST_F(AuthorizerTest, LetsViewsAndTriggersUseTheTablesOfTheirSchema) {
  const auto compile = [&](std::string_view sql) { database_.prepare(sql, Rules::SchemaQuery); };
  EXPECT_NO_THROW(compile("select upper(name) from users"));
  EXPECT_NO_THROW(compile("insert into users default values"));
  for (const char* table : {"sqlite_schema", "sqlite_master"}) {
    expectError(ErrorCode::NotAllowed,
                "views and triggers of a schema use its own tables, not sqlite_master",
                [&] { compile(str("select name from ", table)); });
  }
  for (const char* sql : {"select count(*) from pragma_table_list", "pragma user_version", "begin",
                          "drop table users", "create table a (b)",
                          "attach '/tmp/other.db' as other", "create view v as select 1"}) {
    SCOPED_TRACE(sql);
    const Error error = errorOf([&] { compile(sql); });
    EXPECT_EQ(error.code(), ErrorCode::NotAllowed);
    EXPECT_TRUE(error.message().starts_with("views and triggers of a schema ")) << error.message();
  }
  expectError(ErrorCode::NotAllowed, "the SQL function load_extension is not available",
              [&] { compile("select load_extension(name) from users"); });
}

TEST_F(AuthorizerTest, KeepsItsRulesWhenSqliteCompilesAStatementAgain) {
  Statement host = database_.prepare("pragma user_version = 7", Rules::Host);
  Statement guest = database_.prepare("select * from users", Rules::Guest);
  run("alter table users add column more");
  host.run();
  EXPECT_NO_THROW(guest.run());
  EXPECT_EQ(guest.columnCount(), 4);
}

}  // namespace
}  // namespace schemascript
