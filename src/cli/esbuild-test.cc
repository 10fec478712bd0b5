#include "cli/esbuild.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

// A folder of its own below the working directory, so that names are shown relative to it.
class EsbuildTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::current_path() / ("esbuild-test-" + std::to_string(::getpid()));
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
  }
  // A program in place of esbuild.
  fs::path fake(const std::string& script) const {
    write("esbuild", "#!/bin/sh\n" + script);
    ::chmod((folder_ / "esbuild").c_str(), 0755);
    return folder_ / "esbuild";
  }
  // How a file in the folder is shown.
  std::string shown(const std::string& name) const { return folder_.filename() / name; }
  std::string explain(const std::string& text) const {
    return readEsbuildErrors(text, folder_).complaints;
  }

  fs::path folder_;
};

TEST_F(EsbuildTest, TakesCodeMapAndInputsApart) {
  // The map: {"sources": ["../..FOLDER/app.ts"], "mappings": "AAAA"}
  const fs::path esbuild = fake(
      "map=$(printf '{\"version\":3,\"sources\":[\"../..%s/app.ts\"],\"mappings\":\"AAAA\"}' "
      "\"$PWD\" "
      "| /usr/bin/base64 -w0)\n"
      "printf 'code\\n//# sourceMappingURL=data:application/json;base64,%s\\n' \"$map\"\n"
      "printf '{\"inputs\":{\"app.ts\":{\"imports\":[{\"path\":\"b.ts\",\"original\":\"./b\"},"
      "{\"path\":\"x\",\"external\":true}]},\"../b.ts\":{\"imports\":[]},"
      "\"(disabled):fs\":{\"imports\":[]}}}' >&3\n");
  const EsbuildResult result = runEsbuild(esbuild, folder_ / "app.ts");
  EXPECT_EQ(result.complaints, "");
  EXPECT_EQ(result.output.code, "code\n");
  EXPECT_EQ(result.output.map.sources, (std::vector<std::string>{folder_ / "app.ts"}));
  EXPECT_EQ(result.output.map.mappings, "AAAA");
  EXPECT_EQ(result.output.inputs,
            (std::vector<std::string>{folder_ / "app.ts", folder_.parent_path() / "b.ts"}));
  ASSERT_EQ(result.output.imports.size(), 1u);
  EXPECT_EQ(result.output.imports[0].importer, folder_ / "app.ts");
  EXPECT_EQ(result.output.imports[0].specifier, "./b");
}

TEST_F(EsbuildTest, GivesTheEntryAsAWordAndNoEnvironment) {
  ::setenv("NODE_PATH", "/somewhere", 1);
  const fs::path esbuild = fake("echo \"X [ERROR] $1 $NODE_PATH\" >&2; exit 1\n");
  EXPECT_EQ(runEsbuild(esbuild, folder_ / "-a $(b).ts").complaints, "./-a $(b).ts \n");
  ::unsetenv("NODE_PATH");
}

TEST_F(EsbuildTest, SaysWhyItCannotRun) {
  try {
    runEsbuild(folder_ / "nothing", folder_ / "app.ts");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_NE(error.message().find("nothing: No such file"), std::string::npos) << error.message();
  }
}

TEST_F(EsbuildTest, RefusesOutputThatItDoesNotUnderstand) {
  for (const char* const script :
       {"", "echo code", "echo '//# sourceMappingURL=data:application/json;base64,!'",
        "echo '//# sourceMappingURL=data:application/json;base64,e30='", "kill -9 $$"}) {
    EXPECT_THROW(runEsbuild(fake(script), folder_ / "app.ts"), Error) << script;
  }
}

TEST_F(EsbuildTest, RefusesNamesThatMeanSomethingToEsbuild) {
  EXPECT_THROW(runEsbuild(fake(""), folder_ / "a*.ts"), Error);
  EXPECT_THROW(runEsbuild(fake(""), folder_ / "a=b.ts"), Error);
}

TEST_F(EsbuildTest, ShowsASyntaxErrorAtItsColumn) {
  write("syn.ts", "const x: number = 1;\n  let y = foo(\"ü\" + bar ;\n");
  EXPECT_EQ(
      explain("✘ [ERROR] Expected \")\" but found \";\"\n\n    syn.ts:2:25:\n      2 │   let y\n"
              "        │   ^\n        ╵   )\n\n"),
      str(shown("syn.ts"),
          ":2:25: Expected \")\" but found \";\"\n"
          "  2 |   let y = foo(\"ü\" + bar ;\n"
          "    |                         ^\n"));
}

TEST_F(EsbuildTest, TakesErrorsApart) {
  write("syn.ts", "one\ntwo\nlet y = \xc3\xbc + ;\nfour\n");
  const EsbuildResult result = readEsbuildErrors(
      "✘ [ERROR] Unexpected \";\"\n\n    syn.ts:3:13:\n      3 │ x\n\n"
      "✘ [ERROR] Could not resolve \"fs\"\n\n",
      folder_);
  EXPECT_EQ(result.files, (std::vector<std::string>{folder_ / "syn.ts"}));
  ASSERT_EQ(result.problems.size(), 2u);
  const Problem& first = result.problems[0];
  EXPECT_EQ(first.headline, "Unexpected \";\"");
  ASSERT_TRUE(first.place);
  EXPECT_EQ(first.place->file, shown("syn.ts"));
  EXPECT_EQ(first.place->line, 3u);
  EXPECT_EQ(first.place->column, 13u);
  EXPECT_EQ(first.place->firstLine, 1u);
  EXPECT_EQ(first.place->lines,
            (std::vector<std::string>{"one", "two", "let y = \xc3\xbc + ;", "four"}));
  EXPECT_EQ(first.place->caretBytes, 13u);
  EXPECT_FALSE(result.problems[1].place);
  EXPECT_EQ(result.problems[1].headline, "cannot find the import \"fs\"");
  EXPECT_NE(result.problems[1].advice.find("module of Node.js"), std::string::npos);
}

TEST_F(EsbuildTest, LeavesTheNotesOfAnErrorOut) {
  write("a.ts", "let a = 1; let a = 2;\n");
  EXPECT_EQ(
      explain(
          "✘ [ERROR] The symbol \"a\" has already been declared\n\n    a.ts:1:15:\n      1 │ x\n"
          "        ╵ ^\n\n  The symbol \"a\" was originally declared here:\n\n    a.ts:1:4:\n"
          "      1 │ x\n        ╵ ^\n\n"),
      str(shown("a.ts"),
          ":1:16: The symbol \"a\" has already been declared\n"
          "  1 | let a = 1; let a = 2;\n"
          "    |                ^\n"));
}

TEST_F(EsbuildTest, ExplainsThatThereIsNoNode) {
  write("a.ts", "import fs from \"node:fs\";\n");
  for (const char* const name : {"node:fs", "fs", "fs/promises", "zlib", "assert"}) {
    const std::string text =
        explain(str("✘ [ERROR] Could not resolve \"", name, "\"\n\n    a.ts:1:15:\n      1 │ x\n"));
    EXPECT_EQ(text.find(str(shown("a.ts"), ":1:16: cannot find the import \"", name, "\"\n")), 0u);
    EXPECT_NE(text.find("no files"), std::string::npos) << text;
  }
}

TEST_F(EsbuildTest, AdvisesOnWhatIsNotInstalled) {
  EXPECT_NE(explain("✘ [ERROR] Could not resolve \"left-pad\"\n").find("npm install left-pad"),
            std::string::npos);
  EXPECT_NE(explain("✘ [ERROR] Could not resolve \"./b\"\n").find("no such file"),
            std::string::npos);
  EXPECT_NE(explain("✘ [ERROR] Could not resolve \"drizzle-orm/casing\"\n").find("Built in are"),
            std::string::npos);
}

TEST_F(EsbuildTest, ShowsTheFirstErrorsAndCountsTheRest) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += str("✘ [ERROR] number ", i, "\n\n");
  const std::string explained = explain(text);
  EXPECT_NE(explained.find("number 9\n"), std::string::npos);
  EXPECT_EQ(explained.find("number 10\n"), std::string::npos);
  EXPECT_NE(explained.find("and 2 more errors\n"), std::string::npos);
}

TEST_F(EsbuildTest, ShowsWhatItDoesNotUnderstand) {
  EXPECT_EQ(explain("panic: \x1b[31mrunning\n"), "esbuild failed\npanic: \\x1b[31mrunning\n");
}

TEST_F(EsbuildTest, MakesNamesAndMessagesHarmless) {
  const std::string text = explain("✘ [ERROR] bad \x1b[2J\n\n    a\x1b.ts:1:0:\n");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace schemascript
