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
           "select highlight(words, 0, '<', '>') from words where words match 'apple' order by "
           "rank",
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
                          "create temp trigger t after insert on users begin select 1; end"}) {
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
  for (const char* sql :
       {"create table b as select 1", "insert into a (b) values ('x')", "delete from a",
        "drop table a", "select 1", "create view v as select 1", "alter table a rename to b",
        "begin", "create trigger t after insert on a begin select 1; end", "pragma user_version",
        "create virtual table v using fts5 (a)", "create temp table t (a)"}) {
    SCOPED_TRACE(sql);
    expectError(ErrorCode::NotAllowed,
                "a schema consists of CREATE TABLE and CREATE INDEX statements",
                [&] { define(sql); });
  }
  expectError(ErrorCode::NotAllowed, "the SQL function load_extension is not available",
              [&] { define("create table c (a check (load_extension(a)))"); });
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
