#include "migrate/tokens.h"

#include <gtest/gtest.h>

namespace schemascript {
namespace {

std::string normal(std::string_view sql) { return joinTokens(tokensOf(sql)); }

TEST(Tokens, AreTheSameWhateverBlanksCommentsCaseAndQuotes) {
  const std::string wanted = "check ( length ( name ) > 3 and role in ( 'Admin' , 'it''s' ) )";
  for (const char* sql : {
           "check (length(name)>3 and role in ('Admin','it''s'))",
           "CHECK(LENGTH(\"name\") > 3 AND [role] IN ( 'Admin' , 'it''s' ) )",
           "check /* ( */ (length(`Name`) -- )\n > 3 and role\tin ('Admin', 'it''s'))",
       }) {
    EXPECT_EQ(normal(sql), wanted);
  }
}

TEST(Tokens, KeepLiteralsApart) {
  EXPECT_EQ(normal("1.5e+3+2"), "1.5e+3 + 2");
  EXPECT_EQ(normal("0x1E+3"), "0x1e + 3");
  EXPECT_EQ(normal(".5-.25"), ".5 - .25");
  EXPECT_EQ(normal("X'AF'||'b'"), "x'af' | | 'b'");
  EXPECT_EQ(normal("'a' 'A'"), "'a' 'A'");
  EXPECT_EQ(normal("\"a\"\"b\" [c]]"), "\"a\"\"b\" c ]");
}

TEST(Tokens, TellQuotedNamesFromWords) {
  const auto tokens = tokensOf("\"check\" check");
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_FALSE(tokens[0].isWord("check"));
  EXPECT_TRUE(tokens[1].isWord("check"));
}

TEST(Tokens, KeepNamesApartThatOnlyQuotesMake) {
  EXPECT_EQ(normal("select \"A b\" from [t]"), "select \"a b\" from t");
  EXPECT_EQ(normal("select a b from `t-1`"), "select a b from \"t-1\"");
}

TEST(Tokens, TellNames) {
  const auto tokens = tokensOf("Users \"Users\" 'Us''ers' 1");
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_EQ(tokens[0].name(), "users");
  EXPECT_EQ(tokens[1].name(), "users");
  EXPECT_EQ(tokens[2].name(), "us'ers");
  EXPECT_EQ(tokens[3].name(), "");
  EXPECT_TRUE(isSameName("Users", "uSERS"));
  EXPECT_FALSE(isSameName("Users", "User"));
}

TEST(Tokens, TellThePartsOfATable) {
  const auto parts = [](std::string_view sql) {
    std::vector<std::string> trimmed;
    for (const std::string& part : partsOfTable(sql)) trimmed.push_back(normal(part));
    return trimmed;
  };
  using Parts = std::vector<std::string>;
  EXPECT_EQ(
      parts("create table \"a,(b\" (x integer, \"y,)\" text default (1, 2), check (x in (1, 2)))"
            " strict, without rowid"),
      (Parts{"x integer", "\"y,)\" text default ( 1 , 2 )", "check ( x in ( 1 , 2 ) )"}));
  EXPECT_EQ(parts("create table t (a text default ',)' /* , */, b -- , )\n)"),
            (Parts{"a text default ',)'", "b"}));
  EXPECT_EQ(parts("create table t (a)"), Parts{"a"});
  EXPECT_EQ(parts("create table t as select 1"), Parts{});
  EXPECT_EQ(parts("create table t (a"), Parts{});
}

TEST(Tokens, EndWithTheTextWhenAQuoteDoesNot) {
  EXPECT_EQ(normal("'abc"), "'abc");
  EXPECT_EQ(normal("a /* b"), "a");
  EXPECT_EQ(normal("a -- b"), "a");
}

}  // namespace
}  // namespace schemascript
