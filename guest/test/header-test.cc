// Names and values of headers, held against what the Fetch standard says of them.
#include "header.h"

#include <gtest/gtest.h>

#include <string>

namespace schemascript::guest {
namespace {

TEST(HeaderName, IsAToken) {
  const std::string_view tokens = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
  for (int code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    const HeaderName expected = tokens.find(c) != std::string_view::npos ? HeaderName::Normal
                                : c >= 'A' && c <= 'Z'                   ? HeaderName::HasCapitals
                                                                         : HeaderName::Invalid;
    for (const std::string& name : {std::string{c}, std::string{'a', c, 'b'}}) {
      EXPECT_EQ(classifyHeaderName(name), expected) << code;
    }
  }
  EXPECT_EQ(classifyHeaderName(""), HeaderName::Invalid);
  EXPECT_EQ(classifyHeaderName("Content-Type"), HeaderName::HasCapitals);
  EXPECT_EQ(classifyHeaderName("Content Type"), HeaderName::Invalid);
}

TEST(HeaderValue, LosesTheBlanksAroundIt) {
  EXPECT_EQ(tryCleanHeaderValue(" \t\r\n a b\t c \r\n"), "a b\t c");
  EXPECT_EQ(tryCleanHeaderValue(""), "");
  EXPECT_EQ(tryCleanHeaderValue(" \t "), "");
  EXPECT_EQ(tryCleanHeaderValue("x"), "x");
}

TEST(HeaderValue, MayHoldAllOfLatin1ButLineBreaksAndNul) {
  for (int code = 1; code < 0x100; ++code) {
    std::string letter = code < 0x80 ? std::string(1, static_cast<char>(code))
                                     : std::string{static_cast<char>(0xc0 | code >> 6),
                                                   static_cast<char>(0x80 | (code & 0x3f))};
    const bool isBlank = code == '\n' || code == '\r';  // Which is taken off at the ends.
    const bool mayBe = !isBlank;
    EXPECT_EQ(tryCleanHeaderValue(letter).has_value(), mayBe || isBlank) << code;
    letter += 'b';
    EXPECT_EQ(tryCleanHeaderValue(letter).has_value(), mayBe || isBlank) << code;
    std::string inside{'a'};
    inside += letter;
    EXPECT_EQ(tryCleanHeaderValue(inside).has_value(), mayBe) << code;
  }
  EXPECT_FALSE(tryCleanHeaderValue(std::string_view("a\0b", 3)));
  EXPECT_FALSE(tryCleanHeaderValue("\u0100"));
  EXPECT_FALSE(tryCleanHeaderValue("a\u20ac"));
  EXPECT_FALSE(tryCleanHeaderValue("\U0001f600"));
}

}  // namespace
}  // namespace schemascript::guest
