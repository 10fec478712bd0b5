// What the tests of every layer use: errors as claims, and a folder of their own.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

#include "base/error.h"

namespace schemascript {

// Calls `action` and answers the Error that it throws; fails the test when it throws none.
template <typename Action>
Error errorOf(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return internal("no error was thrown");
}

template <typename Action>
void expectError(ErrorCode code, std::string_view message, Action&& action) {
  const Error error = errorOf(action);
  EXPECT_EQ(nameOf(error.code()), nameOf(code)) << error.message();
  EXPECT_EQ(error.message(), message);
}

// Removed with everything in it at the end of its scope.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "schemascript-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The seed of a random test: SCHEMASCRIPT_SEED if it is set, else `usual`. Printed, so that a
// failure can be repeated.
inline std::uint32_t seedOr(std::uint32_t usual) {
  const char* given = std::getenv("SCHEMASCRIPT_SEED");
  const auto seed =
      given == nullptr ? usual : static_cast<std::uint32_t>(std::stoul(std::string(given)));
  std::cout << "SCHEMASCRIPT_SEED=" << seed << "\n";
  return seed;
}

}  // namespace schemascript
