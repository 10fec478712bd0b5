#include "base/units.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace schemascript {
namespace {

using std::chrono::milliseconds;

TEST(Units, ReadsDurations) {
  EXPECT_EQ(parseDuration("200ms"), milliseconds(200));
  EXPECT_EQ(parseDuration("2s"), milliseconds(2'000));
  EXPECT_EQ(parseDuration("1m"), milliseconds(60'000));
  EXPECT_EQ(parseDuration("0ms"), milliseconds(0));
}

TEST(Units, ReadsSizes) {
  EXPECT_EQ(parseSize("100b"), 100u);
  EXPECT_EQ(parseSize("512kb"), 524'288u);
  EXPECT_EQ(parseSize("32mb"), 33'554'432u);
  EXPECT_EQ(parseSize("1gb"), 1'073'741'824u);
}

TEST(Units, RefusesWhatIsNoDurationAndShowsTheForms) {
  for (const char* text : {"", "5", "ms", "-1s", "+1s", " 1s", "1s ", "1.5s", "1h", "1S", "0x1s",
                           "99999999999999999999s", "527041m"}) {
    expectError(
        ErrorCode::InvalidRequest,
        str("\"", text,
            "\" is not a duration; write a whole number with its unit, such as 200ms, 2s or 1m"),
        [text] { parseDuration(text); });
  }
  EXPECT_NO_THROW(parseDuration("527040m"));
}

TEST(Units, RefusesWhatIsNoSizeAndShowsTheForms) {
  for (const char* text : {"", "32", "mb", "-1mb", "32 mb", "32MB", "32mib", "8589934592gb"}) {
    expectError(
        ErrorCode::InvalidRequest,
        str("\"", text,
            "\" is not a size; write a whole number with its unit, such as 512kb, 32mb or 1gb"),
        [text] { parseSize(text); });
  }
  EXPECT_NO_THROW(parseSize("8589934591gb"));
}

TEST(Units, WritesTheShortestExactForm) {
  EXPECT_EQ(formatDuration(milliseconds(200)), "200ms");
  EXPECT_EQ(formatDuration(milliseconds(1'500)), "1500ms");
  EXPECT_EQ(formatDuration(milliseconds(30'000)), "30s");
  EXPECT_EQ(formatDuration(milliseconds(120'000)), "2m");
  EXPECT_EQ(formatDuration(milliseconds(0)), "0ms");
  EXPECT_EQ(formatSize(0), "0b");
  EXPECT_EQ(formatSize(1'000), "1000b");
  EXPECT_EQ(formatSize(65'536), "64kb");
  EXPECT_EQ(formatSize(33'554'432), "32mb");
  EXPECT_EQ(formatSize(3ull << 30), "3gb");
}

TEST(Units, WritesSizesForPeople) {
  EXPECT_EQ(formatRoughSize(0), "0.0kb");
  EXPECT_EQ(formatRoughSize(512), "0.5kb");
  EXPECT_EQ(formatRoughSize((1 << 20) - 1), "1024.0kb");
  EXPECT_EQ(formatRoughSize(1 << 20), "1.0mb");
  EXPECT_EQ(formatRoughSize(12'900'000), "12.3mb");
  EXPECT_EQ(formatRoughSize(3ull << 39), "1536.0gb");
}

}  // namespace
}  // namespace schemascript
