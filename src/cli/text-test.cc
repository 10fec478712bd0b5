#include "cli/text.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/testing.h"

namespace schemascript {
namespace {

const Paint kPlain(Colours::Off);

class ExcerptTest : public testing::Test {
 protected:
  std::string of(const std::string& content, std::uint32_t line, std::uint32_t column) {
    std::ofstream(file_) << content;
    return render(file_, line, column);
  }

  static std::string render(const std::string& file, std::uint32_t line, std::uint32_t column) {
    const Excerpt read = readExcerpt(file, line, column, 0);
    if (read.lines.empty()) return {};
    return renderLine(line, read.lines.front(), read.caretBytes, kPlain);
  }

  const TemporaryFolder folder_;
  const std::string file_ = folder_ / "excerpt-test.ts";
};

TEST(Printable, KeepsOrdinaryText) {
  EXPECT_EQ(printable("a\tb\nc – ü 漢 😀"), "a\tb\nc – ü 漢 😀");
}

TEST(Printable, EscapesWhatATerminalObeys) {
  EXPECT_EQ(printable("\x1b[31mred\x07\r\x7f"), "\\x1b[31mred\\x07\\x0d\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m");  // The C1 form of ESC [.
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Printable, EscapesWhatTurnsTheDirection) {
  EXPECT_EQ(printable("a\u202eb\u2066c"), "a\\u202eb\\u2066c");
}

TEST(Printable, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("\x9b"
                      "a\xff\xc3"),
            "\\x9ba\\xff\\xc3");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // Half of a pair.
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b");           // Too long a form.
}

TEST(Utf16Units, CountsPairsTwice) {
  EXPECT_EQ(utf16Units("aü😀b", 8), 5u);
  EXPECT_EQ(utf16Units("aü😀b", 3), 2u);
  EXPECT_EQ(utf16Units("a", 100), 1u);
}

TEST_F(ExcerptTest, PutsACaretUnderTheColumn) {
  EXPECT_EQ(of("one\nlet x = y;\nthree\n", 2, 9), "  2 | let x = y;\n    |         ^\n");
}

TEST_F(ExcerptTest, CountsColumnsInUtf16Units) {
  EXPECT_EQ(of("\"ü😀\" + x\n", 1, 9), "  1 | \"ü😀\" + x\n    |        ^\n");
}

TEST_F(ExcerptTest, KeepsTabs) { EXPECT_EQ(of("\t\tx\n", 1, 3), "  1 | \t\tx\n    | \t\t^\n"); }

TEST_F(ExcerptTest, CutsLongLinesAroundTheColumn) {
  const std::string text = of(std::string(5000, 'a') + '!' + std::string(5000, 'b'), 1, 5001);
  EXPECT_LT(text.size(), 300u);
  EXPECT_NE(text.find("aaa!bbb"), std::string::npos);
  EXPECT_EQ(text.find('!') - text.find("  1"), text.rfind('^') - text.rfind("    |"));
}

TEST_F(ExcerptTest, IsEmptyWithoutSuchALine) {
  EXPECT_EQ(of("one\n", 7, 1), "");
  EXPECT_EQ(render("/nowhere/a.ts", 1, 1), "");
  EXPECT_EQ(of("one\n", 0, 1), "");
}

TEST_F(ExcerptTest, MakesTheLineHarmless) {
  EXPECT_EQ(of("a\x1b[2J\r\n", 1, 1), "  1 | a\\x1b[2J\n    | ^\n");
}

TEST_F(ExcerptTest, HasTheLinesAround) {
  std::ofstream(file_) << "one\ntwo\n\n\tf\x1b(\xc3\xbc)\nfive\r\nsix\nseven";
  const Excerpt excerpt = readExcerpt(file_, 4, 4, 2);
  EXPECT_EQ(excerpt.firstLine, 2u);
  EXPECT_EQ(excerpt.lines,
            (std::vector<std::string>{"two", "", "\tf\\x1b(\xc3\xbc)", "five", "six"}));
  EXPECT_EQ(excerpt.lines[2].substr(excerpt.caretBytes), "(\xc3\xbc)");
  EXPECT_EQ(readExcerpt(file_, 1, 1, 2).firstLine, 1u);
  EXPECT_EQ(readExcerpt(file_, 1, 1, 2).lines.size(), 3u);
  EXPECT_EQ(readExcerpt(file_, 7, 99, 2).lines, (std::vector<std::string>{"five", "six", "seven"}));
  EXPECT_EQ(readExcerpt(file_, 7, 99, 2).caretBytes, 5u);
  EXPECT_EQ(readExcerpt(file_, 7, 0, 100).lines.size(), 7u);
  EXPECT_TRUE(readExcerpt(file_, 3, 1, 2).lines.empty());  // A blank line shows nothing.
  EXPECT_TRUE(readExcerpt(file_, 8, 1, 2).lines.empty());
}

TEST(OneLine, EscapesNewlinesToo) {
  EXPECT_EQ(oneLine("a\nb\tc\x1b\xc3\xa4\\"), "a\\x0ab\\x09c\\x1b\xc3\xa4\\");
  EXPECT_EQ(oneLine(""), "");
}

TEST(CutToColumns, CountsWhatATerminalShows) {
  EXPECT_EQ(cutToColumns("abcdef", 6), "abcdef");
  EXPECT_EQ(cutToColumns("abcdefg", 6), "abc...");
  EXPECT_EQ(cutToColumns("", 0), "");
  EXPECT_EQ(cutToColumns("abcdef", 2), "..");
  EXPECT_EQ(cutToColumns("abcdef", 0), "");
  // One column each, whatever its bytes; two for those that are wide.
  EXPECT_EQ(cutToColumns("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 4),
            "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
  EXPECT_EQ(cutToColumns("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4z", 4), "\xc3\xa4...");
  EXPECT_EQ(cutToColumns("\xe6\xbc\xa2\xe5\xad\x97", 4), "\xe6\xbc\xa2\xe5\xad\x97");
  EXPECT_EQ(cutToColumns("\xe6\xbc\xa2\xe5\xad\x97", 3), "...");
  EXPECT_EQ(cutToColumns("a\xf0\x9f\x98\x80\xf0\x9f\x98\x80z", 5), "a...");
  EXPECT_EQ(cutToColumns("a\xf0\x9f\x98\x80\xf0\x9f\x98\x80z", 6),
            "a\xf0\x9f\x98\x80\xf0\x9f\x98\x80z");
}

}  // namespace
}  // namespace schemascript
