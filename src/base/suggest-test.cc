#include "base/suggest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace schemascript {
namespace {

constexpr std::array<std::string_view, 4> kKnown{"--time-limit", "--memory-limit", "--db",
                                                 "--push"};

TEST(Suggest, FindsASwappedPair) {
  EXPECT_EQ(tryFindNearest("--tiem-limit", kKnown), "--time-limit");
}

TEST(Suggest, FindsMissingAndSuperfluousLetters) {
  EXPECT_EQ(tryFindNearest("--memry-limit", kKnown), "--memory-limit");
  EXPECT_EQ(tryFindNearest("--pushh", kKnown), "--push");
  EXPECT_EQ(tryFindNearest("--d", kKnown), "--db");
}

TEST(Suggest, PrefersTheNearest) {
  constexpr std::array<std::string_view, 2> kNear{"limit-a", "limit-b"};
  EXPECT_EQ(tryFindNearest("limit-b", kNear), "limit-b");
}

TEST(Suggest, FindsNothingForAnotherWord) {
  EXPECT_EQ(tryFindNearest("--verbose", kKnown), std::nullopt);
  EXPECT_EQ(tryFindNearest("", kKnown), std::nullopt);
}

TEST(Suggest, LeavesHugeWordsAlone) {
  EXPECT_EQ(tryFindNearest(std::string(100'000, 'x'), kKnown), std::nullopt);
}

}  // namespace
}  // namespace schemascript
