#include "base/base64.h"

#include <gtest/gtest.h>

#include <random>

namespace schemascript {
namespace {

std::string encode(std::string_view bytes) {
  std::string text;
  appendBase64(text, bytes);
  return text;
}

std::optional<std::string> tryDecode(std::string_view text) {
  const auto size = base64DecodedSize(text);
  if (!size) return std::nullopt;
  std::string bytes(*size, '\0');
  if (!decodeBase64(text, bytes)) return std::nullopt;
  return bytes;
}

TEST(Base64, WritesTheVectorsOfTheStandard) {
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encode("\xff\xfe\xfd"), "//79");
}

TEST(Base64, ReadsBackEveryLength) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_EQ(tryDecode(encode(bytes)), bytes) << size;
  }
}

TEST(Base64, RefusesWhatNoEncoderWrites) {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zg===", "====", "=", "Zh==", "Zm9=", "Zm8=Zm8=", "Zm9\n", "Zm 9",
        "Zm9v*mFy", "Zm-_", "A===", "Zm9vYg==Zm9v", "\xffm9v"}) {
    EXPECT_EQ(tryDecode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace schemascript
