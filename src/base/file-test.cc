#include "base/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/testing.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

TEST(File, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const std::string bytes = std::string("a\0b", 3) + std::string(100'000, 'x');
  writeFileAtomically(folder / "a", bytes);
  EXPECT_EQ(readFile(folder / "a"), bytes);
  writeFileAtomically(folder / "a", "");
  EXPECT_EQ(readFile(folder / "a"), "");
}

TEST(File, LeavesNothingBesideTheFile) {
  const TemporaryFolder folder;
  writeFileAtomically(folder / "a", "1");
  writeFileAtomically(folder / "a", "2");
  fs::create_directory(folder / "b");
  expectError(ErrorCode::Unavailable,
              str("cannot write ", (folder / "b").string(), ": Is a directory"),
              [&] { writeFileAtomically(folder / "b", "3"); });
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 2);
}

TEST(File, ReadsFilesWhoseSizeIsNotKnown) {
  EXPECT_NE(readFile("/proc/self/status").find("Name:"), std::string::npos);
}

TEST(File, SaysWhatCannotBeRead) {
  const TemporaryFolder folder;
  expectError(ErrorCode::InvalidRequest,
              str("cannot open ", (folder / "none").string(), ": No such file or directory"),
              [&] { readFile(folder / "none"); });
  expectError(ErrorCode::InvalidRequest,
              str("cannot read ", folder.path().string(), ": Is a directory"),
              [&] { readFile(folder.path()); });
}

TEST(File, SaysWhereItCannotWrite) {
  const TemporaryFolder folder;
  const fs::path file = folder / "none" / "a";
  expectError(ErrorCode::Unavailable,
              str("cannot create a file beside ", file.string(), ": No such file or directory"),
              [&] { writeFileAtomically(file, "1"); });
}

TEST(FileDescriptor, IsClosedOnce) {
  int raw = -1;
  {
    FileDescriptor first(::dup(0));
    raw = first.get();
    const FileDescriptor second(std::move(first));
    EXPECT_FALSE(first.isOpen());  // NOLINT(bugprone-use-after-move): that is the promise.
    EXPECT_EQ(second.get(), raw);
  }
  EXPECT_EQ(::close(raw), -1);
}

TEST(CacheFolder, IsFoundInTheOrderOfItsVariables) {
  ::setenv("HOME", "/h", 1);
  ::setenv("XDG_CACHE_HOME", "/x", 1);
  ::setenv("SCHEMASCRIPT_CACHE", "/s", 1);
  EXPECT_EQ(cacheFolder(), "/s");
  ::setenv("SCHEMASCRIPT_CACHE", "", 1);
  EXPECT_EQ(cacheFolder(), "/x/schemascript");
  ::unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(cacheFolder(), "/h/.cache/schemascript");
  ::unsetenv("HOME");
  expectError(ErrorCode::InvalidRequest,
              "there is no folder for the cache; set SCHEMASCRIPT_CACHE to one",
              [] { cacheFolder(); });
}

}  // namespace
}  // namespace schemascript
