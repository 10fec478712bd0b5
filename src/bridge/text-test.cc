#include "bridge/text.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace schemascript {
namespace {

std::string jsonOf(std::string_view text) {
  std::string out = "[";
  return tryAppendJsonString(out, text) ? out : str("refused ", out);
}

TEST(Text, FindsTheFirstSpecialByteAtEveryPlace) {
  for (std::size_t size = 0; size < 40; ++size) {
    EXPECT_EQ(plainLength(std::string(size, 'a')), size);
    for (std::size_t at = 0; at < size; ++at) {
      for (const char special : {'"', '\\', '\0', '\x1f', '\x80', '\xff'}) {
        std::string text(size, '\x7f');
        text[at] = special;
        EXPECT_EQ(plainLength(text), at);
        std::fill(text.begin() + static_cast<std::ptrdiff_t>(at) + 1, text.end(), '!');
        EXPECT_EQ(plainLength(text), at);
      }
    }
  }
}

TEST(Text, KnowsWhereACharacterEnds) {
  EXPECT_EQ(characterLength("a"), 1u);
  EXPECT_EQ(characterLength("\u00e9x"), 2u);
  EXPECT_EQ(characterLength("\ud7ff"), 3u);
  EXPECT_EQ(characterLength("\U0001f600"), 4u);
  EXPECT_EQ(characterLength("\U0010ffff"), 4u);
}

TEST(Text, KnowsWhatIsNoCharacter) {
  for (const char* text : {"", "\x80", "\xc3", "\xc3(", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
                           "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xf0\x9f\x98"}) {
    EXPECT_EQ(characterLength(text), 0u) << text;
  }
}

TEST(Text, FindsWhereUtf8Ends) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      const std::string head(before, 'a');
      const std::string tail(after, 'z');
      for (const char* good : {"", "\u00e9", "\u20ac\u20ac", "\U0001f600"}) {
        const std::string text = head + good + tail;
        EXPECT_TRUE(isUtf8(text)) << text;
        EXPECT_EQ(utf8PrefixLength(text), text.size());
        for (const char* bad : {"\x80", "\xff", "\xc3", "\xed\xa0\x80"}) {
          const std::string broken = text + bad + tail;
          EXPECT_FALSE(isUtf8(broken)) << broken;
          EXPECT_EQ(utf8PrefixLength(broken), text.size());
        }
      }
    }
  }
}

TEST(Text, EscapesWhatJsonWantsEscaped) {
  EXPECT_EQ(jsonOf(""), R"(["")");
  EXPECT_EQ(jsonOf("plain text, longer than eight"), R"(["plain text, longer than eight")");
  EXPECT_EQ(jsonOf("a\"b\\c\nd\re\tf"), R"(["a\"b\\c\nd\re\tf")");
  EXPECT_EQ(jsonOf(std::string_view("\0\x1f\x7f", 3)), "[\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(jsonOf("h\u00e9llo \U0001f600\u2028"), "[\"h\u00e9llo \U0001f600\u2028\"");
}

TEST(Text, LeavesTheOutputAloneWhenItIsNotUtf8) {
  EXPECT_EQ(jsonOf("fine until \xff"), "refused [");
  EXPECT_EQ(jsonOf("\xed\xa0\x80"), "refused [");
}

TEST(Text, WritesCodePoints) {
  std::string out;
  for (const char32_t each : {U'a', U'\u00e9', U'\u20ac', U'\U0001f600', U'\U0010ffff'}) {
    appendCharacter(out, each);
  }
  EXPECT_EQ(out, "a\u00e9\u20ac\U0001f600\U0010ffff");
}

}  // namespace
}  // namespace schemascript
