#include "bridge/statement-trace.h"

#include <gtest/gtest.h>

namespace schemascript {
namespace {

using namespace std::chrono_literals;

TEST(FoldSql, PutsWordsOnOneLine) {
  EXPECT_EQ(foldSql("  select a,\n\t b\r\n\f from t \n"), "select a, b from t");
  EXPECT_EQ(foldSql("select 1"), "select 1");
  EXPECT_EQ(foldSql(""), "");
  EXPECT_EQ(foldSql(" \n "), "");
  EXPECT_EQ(foldSql("\xef\xbb\xbfselect\xef\xbb\xbf 1"), "select 1");
}

// On one line, all behind a comment would be a part of it.
TEST(FoldSql, LeavesCommentsOut) {
  EXPECT_EQ(foldSql("select 1 -- one\n, 2 /* two\n lines */ + 3"), "select 1 , 2 + 3");
  EXPECT_EQ(foldSql("select/**/1"), "select 1");
  EXPECT_EQ(foldSql("select 1 -- the end"), "select 1");
  EXPECT_EQ(foldSql("select 1 /* no end"), "select 1");
  EXPECT_EQ(foldSql("a - -1 / 2 -> '$'"), "a - -1 / 2 -> '$'");
}

TEST(FoldSql, KeepsWhatStandsInQuotes) {
  for (const char* const sql : {"'a  b\n--c'", "\"a  /* b\"", "`a  b`", "[a  'b]", "'it''s  -- x'",
                                "'no  end", "[no  end"}) {
    EXPECT_EQ(foldSql(sql), sql);
  }
  EXPECT_EQ(foldSql("'a'  'b  c'\n[d]  \"\"  x"), "'a' 'b  c' [d] \"\" x");
}

TEST(TracedStatement, SaysWhatCameOfIt) {
  EXPECT_EQ(outcomeOf({.method = Method::All, .rows = 1, .hasRows = true}), "1 row");
  EXPECT_EQ(outcomeOf({.method = Method::Get, .rows = 0, .hasRows = true}), "0 rows");
  EXPECT_EQ(outcomeOf({.method = Method::Iterate, .rows = 20'000, .hasRows = true}), "20000 rows");
  EXPECT_EQ(outcomeOf({.method = Method::Run, .changes = 1}), "1 change");
  EXPECT_EQ(outcomeOf({.method = Method::Run, .changes = 0}), "0 changes");
  EXPECT_EQ(outcomeOf({.method = Method::Run, .error = "no"}), "failed");
  EXPECT_EQ(outcomeOf({.method = Method::Commit, .error = "no"}), "failed");
  EXPECT_EQ(outcomeOf({.method = Method::Begin}), "");
  EXPECT_EQ(outcomeOf({.method = Method::Push}), "");
}

TEST(TracedStatement, TellsTimeInMilliseconds) {
  EXPECT_EQ(formatStatementTime(0ns), "0.000 ms");
  EXPECT_EQ(formatStatementTime(999ns), "0.000 ms");
  EXPECT_EQ(formatStatementTime(12'345'678ns), "12.345 ms");
  EXPECT_EQ(formatStatementTime(2min), "120000.000 ms");
  EXPECT_EQ(formatStatementTime(-1ns), "0.000 ms");
}

}  // namespace
}  // namespace schemascript
