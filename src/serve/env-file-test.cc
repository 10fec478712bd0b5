// `.env` files, against what dotenv 16 makes of the same lines.
#include "serve/env-file.h"

#include <fstream>

#include "base/testing.h"

namespace schemascript {
namespace {

std::string parse(std::string_view text) { return parseEnvFile(text, ".env"); }

void expectRefused(std::string_view text, std::string_view message) {
  expectError(ErrorCode::InvalidRequest, message, [&] { parse(text); });
}

TEST(EnvFile, IsAnObjectOfStrings) {
  EXPECT_EQ(parse("B=1\nA=true"), R"({"B":"1","A":"true"})");
  EXPECT_EQ(parse(""), "{}");
  EXPECT_EQ(parse("\n# nothing\n   \n"), "{}");
  EXPECT_EQ(parse("A=\nB= \nC=''\nD=#x"), R"({"A":"","B":"","C":"","D":""})");
}

TEST(EnvFile, ReadsUnquotedValuesToTheEndOrAComment) {
  EXPECT_EQ(parse("A = a b \t\n"), R"({"A":"a b"})");
  EXPECT_EQ(parse("A=a#b # c"), R"({"A":"a"})");
  EXPECT_EQ(parse("A=a=b=c"), R"({"A":"a=b=c"})");
  EXPECT_EQ(parse("A=it's\\n \"x\""), R"({"A":"it's\\n \"x\""})");
  EXPECT_EQ(parse("A=$HOME ${B}"), R"({"A":"$HOME ${B}"})");
  EXPECT_EQ(parse("A=\xc3\xa4"), "{\"A\":\"\xc3\xa4\"}");
}

TEST(EnvFile, KeepsWhatIsQuoted) {
  EXPECT_EQ(parse("A=' a # b '  # c"), R"({"A":" a # b "})");
  EXPECT_EQ(parse("A=`it's \"x\"`"), R"({"A":"it's \"x\""})");
  EXPECT_EQ(parse(R"(A='a\nb')"), R"({"A":"a\\nb"})");
  EXPECT_EQ(parse(R"(A='a\'b')"), R"({"A":"a\\'b"})");
  EXPECT_EQ(parse("A=\"a\nb\n\"\nB=1"), R"({"A":"a\nb\n","B":"1"})");
  EXPECT_EQ(parse("A='a\n#b'\nB=`\n`"), R"({"A":"a\n#b","B":"\n"})");
}

TEST(EnvFile, KnowsTheEscapesOfDoubleQuotes) {
  EXPECT_EQ(parse(R"(A="a\nb\rc\td")"), R"({"A":"a\nb\rc\td"})");
  EXPECT_EQ(parse(R"(A="say \"hi\" \\n \$ \x")"), R"({"A":"say \"hi\" \\n \\$ \\x"})");
}

TEST(EnvFile, TakesNamesAndExport) {
  EXPECT_EQ(parse("export A=1\n  export\tB=2\nexport=3\nexportC=4"),
            R"({"A":"1","B":"2","export":"3","exportC":"4"})");
  EXPECT_EQ(parse("a.b-c_D9=1\n9=2\n__proto__=3"), R"({"a.b-c_D9":"1","9":"2","__proto__":"3"})");
}

TEST(EnvFile, TakesLinesThatEndInAnyWay) {
  EXPECT_EQ(parse("A=1\r\nB=2\rC=\"x\r\ny\"\r\n"), R"({"A":"1","B":"2","C":"x\ny"})");
  EXPECT_EQ(parse("\xef\xbb\xbf"
                  "A=1"),
            R"({"A":"1"})");
}

TEST(EnvFile, SaysWhatIsWrongAndWhere) {
  constexpr std::string_view kNoName =
      "what stands before the = is no name; it may have letters, digits, and the characters _ . -";
  constexpr std::string_view kNoSign =
      "there is no = in it; write NAME=value, or begin the line with #";
  expectRefused("A=1\n\nsecret words=2", str(".env:3: ", kNoName));
  expectRefused("=x", str(".env:1: ", kNoName));
  expectRefused("\xc3\xa4=x", str(".env:1: ", kNoName));
  expectRefused("A=1\nsecret", str(".env:2: ", kNoSign));
  expectRefused("A #=1", str(".env:1: ", kNoSign));
  expectRefused("A=1\nB=2\nexport A=3", ".env:3: A was set in line 1 already; remove one of them");
  expectRefused("A='\n\n'\nB=\"secret\nC=1\n", ".env:4: the quote \" that begins here has no end");
  expectRefused("A=\"secret\\\"", ".env:1: the quote \" that begins here has no end");
  expectRefused("A='secret\n' more",
                ".env:2: there is something behind the quote ' that ends the value; put the whole "
                "value between other quotes");
  expectRefused("A=1\nB=\xff", ".env:2: it is no text in UTF-8; save the file as that");
  expectRefused(std::string_view("A=1\0", 4),
                ".env:1: it is no text in UTF-8; save the file as that");
}

TEST(EnvFile, HasASizeThatItMayHave) {
  const std::string name = "A=";
  EXPECT_EQ(parse(name + std::string(kEnvFileBytesMax - 2, 'x')).size(), kEnvFileBytesMax + 6);
  expectRefused(name + std::string(kEnvFileBytesMax - 1, 'x'),
                ".env has 1048577 bytes; it may have 1048576");
}

TEST(EnvFile, IsReadFromAFile) {
  const TemporaryFolder folder;
  std::ofstream(folder / ".env") << "A=1\nB\n";
  const std::string path = (folder / ".env").string();
  expectError(ErrorCode::InvalidRequest,
              str(path, ":2: there is no = in it; write NAME=value, or begin the line with #"),
              [&] { readEnvFile(path); });
  std::ofstream(folder / ".env") << "A=1\n";
  EXPECT_EQ(readEnvFile(path), R"({"A":"1"})");
  EXPECT_EQ(errorOf([&] { readEnvFile(folder / "none"); }).code(), ErrorCode::InvalidRequest);
}

}  // namespace
}  // namespace schemascript
