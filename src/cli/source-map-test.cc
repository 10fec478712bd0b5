#include "cli/source-map.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"

namespace schemascript {
namespace {

// What esbuild 0.28.2 made of ok.ts (3 lines, imports ./lib/helper) and lib/helper.ts. Its bundle:
//
//    1  // ok.ts
//    2  import { database } from "schemascript";
//    4  // lib/helper.ts
//    5  function helper(n) {
//    6    return n + 1;
//    7  }
//    9  // ok.ts
//   10  console.log(helper(1), database);
SourceMapText golden() {
  return {{"/app/ok.ts", "/app/lib/helper.ts"},
          ";AAAA,SAAS,gBAAgB;;;ACAlB,SAAS,OAAO,GAAmB;AAAE,SAAO,IAAI;AAAG;;;ADE1D,QAAQ,IAAI,"
          "OAAO,CAAC,GAAG,QAAQ;"};
}

std::string show(const std::optional<SourcePosition>& position) {
  return position ? str(position->file, ':', position->line, ':', position->column) : "nothing";
}

TEST(SourceMap, FindsPositionsInEachSource) {
  SourceMap map(golden());
  EXPECT_EQ(show(map.tryFind(5, 1)), "/app/lib/helper.ts:1:8");
  EXPECT_EQ(show(map.tryFind(6, 3)), "/app/lib/helper.ts:1:45");
  EXPECT_EQ(show(map.tryFind(10, 13)), "/app/ok.ts:3:13");
}

TEST(SourceMap, TakesTheLastSegmentThatIsNotBehindTheColumn) {
  SourceMap map(golden());
  EXPECT_EQ(show(map.tryFind(10, 15)), "/app/ok.ts:3:13");
  EXPECT_EQ(show(map.tryFind(10, 4000)), show(map.tryFind(10, 32)));
}

TEST(SourceMap, FindsNothingWhereNothingIs) {
  SourceMap map(golden());
  EXPECT_EQ(show(map.tryFind(1, 1)), "nothing");  // A comment.
  EXPECT_EQ(show(map.tryFind(3, 1)), "nothing");
  EXPECT_EQ(show(map.tryFind(0, 0)), "nothing");
  EXPECT_EQ(show(map.tryFind(11, 1)), "nothing");
  EXPECT_EQ(show(map.tryFind(4'000'000'000, 4'000'000'000)), "nothing");
}

TEST(SourceMap, ReadsNegativeAndLongNumbers) {
  // 1000 lines on; then 6 columns on and 999 lines back.
  SourceMap map({{"/a.ts"}, "AAw+BA,MAv+BA"});
  EXPECT_EQ(show(map.tryFind(1, 1)), "/a.ts:1001:1");
  EXPECT_EQ(show(map.tryFind(1, 7)), "/a.ts:2:1");
}

TEST(SourceMap, KnowsCodeThatIsInNoSource) {
  SourceMap map({{"/a.ts"}, "AAAA,K"});
  EXPECT_EQ(show(map.tryFind(1, 1)), "/a.ts:1:1");
  EXPECT_EQ(show(map.tryFind(1, 6)), "nothing");
}

TEST(SourceMap, StopsAtAnErrorAndKeepsWhatWasBefore) {
  for (const char* const damage : {"!", "AA!A", "AEAA", "AADA", "g", "gggggggggggggA", "AAAAAA"}) {
    SourceMap map({{"/a.ts"}, str("AAAA;", damage)});
    EXPECT_EQ(show(map.tryFind(1, 1)), "/a.ts:1:1") << damage;
    EXPECT_EQ(show(map.tryFind(2, 1)), "nothing") << damage;
  }
}

TEST(SourceMap, MapsEachPositionInAText) {
  SourceMap map(golden());
  EXPECT_EQ(
      map.mapPositions("    at helper (schemascript:app:6:3)\n    at schemascript:app:10:13\n"),
      str("    at helper (", displayPath("/app/lib/helper.ts"), ":1:45)\n    at ",
          displayPath("/app/ok.ts"), ":3:13\n"));
}

TEST(SourceMap, LeavesOtherTextAsItIs) {
  SourceMap map(golden());
  for (const char* const text :
       {"", "nothing here", "schemascript:app", "schemascript:app:", "schemascript:app:6",
        "schemascript:app:6:", "schemascript:app:0:1", "schemascript:app:1:1",
        "schemascript:app:99999999999:1", "schemascript:appschemascript:app"}) {
    EXPECT_EQ(map.mapPositions(text), text);
  }
}

TEST(SourceMap, SeesWhetherTextMentionsTheBundle) {
  EXPECT_TRUE(SourceMap::mentionsBundle("at schemascript:app:1:1"));
  EXPECT_FALSE(SourceMap::mentionsBundle("at schemascript:internal:1:1"));
  EXPECT_FALSE(SourceMap::mentionsBundle(""));
}

TEST(DisplayPath, IsRelativeToTheWorkingDirectoryUnlessThatIsLonger) {
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(displayPath(here + "/src/app.ts"), "src/app.ts");
  EXPECT_EQ(displayPath("/a.ts"), "/a.ts");
}

}  // namespace
}  // namespace schemascript
