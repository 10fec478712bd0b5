#include "database/sql-text.h"

#include <gtest/gtest.h>

#include <string>

namespace schemascript {
namespace {

TEST(SqlText, FindsNamesInAnyQuotesAndCase) {
  for (const char* sql :
       {"select * from users", "select * from USERS", "select * from \"users\"",
        "select * from [users]", "select * from `users`", "select * from 'users'",
        "select*from(users)", "select users.id", "users", "select ?1users",
        "select * from/**/users--", "select * from \xef\xbb\xbfusers", "delete from main.users"}) {
    EXPECT_TRUE(namesInText(sql, "users")) << sql;
    EXPECT_TRUE(namesInText(sql, "Users")) << sql;
  }
  for (const char* sql : {"select * from users2", "select * from my_users", "select * from $users",
                          "select * from \xc3\xa4users", "select * from users\xc3\xa4", ""}) {
    EXPECT_FALSE(namesInText(sql, "users")) << sql;
  }
}

TEST(SqlText, FindsNamesOfOtherCharacters) {
  EXPECT_TRUE(namesInText("select * from \"a b\"", "a b"));
  EXPECT_TRUE(namesInText("select * from \"a\"\"b\"", "a\"b"));
  EXPECT_TRUE(namesInText("select * from [a\"b]", "a\"b"));
  EXPECT_TRUE(namesInText("select * from 'a''b'", "a'b"));
  EXPECT_TRUE(namesInText("select * from `a``b`", "a`b"));
  EXPECT_TRUE(namesInText("select * from \"-\"", "-"));
  EXPECT_TRUE(namesInText("select * from \"\"", ""));
  EXPECT_FALSE(namesInText("select * from \"a b\"", "a c"));
}

TEST(SqlText, FindsWhatAWithDefines) {
  for (const char* sql :
       {"with v as (select 1) select 1", "WITH recursive V(a, b) as (select 1) select 1",
        "with\"v\"as(select 1) select 1", "with 'v' as materialized (select 1) select 1",
        "with a as (select 1), [v]/**/as -- x\n not materialized (select 1) select 1",
        "with\xef\xbb\xbfv\xef\xbb\xbf as (select 1) select 1",
        "insert into t with `v` as (select 1) select 1", "with V AS(select 1) select 1"}) {
    EXPECT_TRUE(definesByWith(sql, "v") || namesInText(sql, "v\xef\xbb\xbf")) << sql;
  }
  EXPECT_TRUE(definesByWith("with \"a\"\"b\" as (select 1) select 1", "a\"b"));
  EXPECT_TRUE(definesByWith("with \"\" as (select 1) select 1", ""));
  for (const char* sql : {"select * from v as x", "with c as (select 1) select * from v, c",
                          "with c as (select * from v) select * from v as c",
                          "with c as (select 1) select v.a from v join c on v.a = c.a"}) {
    EXPECT_FALSE(definesByWith(sql, "v")) << sql;
  }
}

TEST(SqlText, FindsJoinsByColumnNames) {
  for (const char* sql :
       {"select * from a natural join b", "select * from a NATURAL LEFT JOIN b",
        "select * from a left natural join b", "select * from a natural/**/join b",
        "select * from a join b using(x)", "select * from a join b using /**/ (x)",
        "select * from a join b on ?1natural join c", "select * from (a)natural join b",
        "select * from a join b Using\n--\n(x)", "select * from a natural cross join b"}) {
    EXPECT_TRUE(joinsByColumnNames(sql)) << sql;
  }
  for (const char* sql : {"select natural from a", "insert into housing (a) values (1)",
                          "select * from a join b on a.x = b.x", "select \"using\" from a",
                          "select * from supernatural join b"}) {
    EXPECT_FALSE(joinsByColumnNames(sql)) << sql;
  }
}

TEST(SqlText, FindsCopiesOfWholeRows) {
  for (const char* sql :
       {"insert into a select * from b", "INSERT INTO a SELECT ALL * FROM b",
        "insert into[a]select*from b", "insert into main.a select * from b",
        "insert into \"a\".\"b c\" as x select * from b", "replace into a select/**/* from b",
        "/* insert into a (x) */ insert into a select * from b",
        "insert into 'a' -- into a (x)\n select * from b", "insert into a as \"(\" select * from b",
        "insert or ignore into `a` select * from (b)"}) {
    EXPECT_TRUE(copiesWholeRows(sql)) << sql;
  }
  for (const char* sql :
       {"insert into a (x, y) select * from b", "insert into a select x, y from b",
        "insert into main.a (x) select * from b", "insert into a as b (x) select * from b",
        "insert into a values ((select * from b))", "select * from b",
        "insert into a select count(*) from b", "insert into a select b.* from b"}) {
    EXPECT_FALSE(copiesWholeRows(sql)) << sql;
  }
}

}  // namespace
}  // namespace schemascript
