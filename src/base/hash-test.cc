#include "base/hash.h"

#include <gtest/gtest.h>

namespace schemascript {
namespace {

std::string hashOf(std::initializer_list<std::string_view> parts) {
  Hasher hasher;
  for (const std::string_view part : parts) hasher.add(part);
  return hasher.hex();
}

TEST(Hasher, AnswersTheSameDigitsForTheSameParts) {
  EXPECT_EQ(hashOf({"schema", "app"}), hashOf({"schema", "app"}));
  EXPECT_EQ(hashOf({}).size(), 32u);
  EXPECT_EQ(hashOf({}).find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(Hasher, CountsWhereAPartEnds) {
  EXPECT_NE(hashOf({"ab", "c"}), hashOf({"a", "bc"}));
  EXPECT_NE(hashOf({"abc"}), hashOf({"abc", ""}));
}

// The cache outlives the program: a new version must find what an older one wrote.
TEST(Hasher, IsTheXxh3ThatItAlwaysWas) {
  EXPECT_EQ(hashOf({}), "99aa06d3014798d86001c324468d497f");
}

}  // namespace
}  // namespace schemascript
