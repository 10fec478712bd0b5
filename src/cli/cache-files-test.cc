#include "cli/cache-files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/error.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

const std::string kKey = "0123456789abcdef0123456789abcdef";

class CacheFiles : public testing::Test {
 protected:
  void SetUp() override {
    cache_ = fs::temp_directory_path() / ("cache-files-test-" + std::to_string(::getpid()));
    fs::remove_all(cache_);
    fs::create_directories(cache_ / kSnapshots.folder);
  }
  void TearDown() override { fs::remove_all(cache_); }

  void write(const fs::path& name, std::size_t bytes) const {
    std::ofstream(cache_ / name) << std::string(bytes, 'x');
  }

  fs::path cache_;
};

TEST_F(CacheFiles, KnowsItsNames) {
  EXPECT_TRUE(isCacheFileName(kKey + ".bundle", ".bundle"));
  EXPECT_TRUE(isCacheFileName(kKey + ".bundle.aZ09xy", ".bundle"));
  for (const std::string& other :
       {kKey, kKey + ".bundl", kKey + ".bundle.", kKey + ".bundle.aZ09x", kKey + ".bundle.aZ09xyz",
        kKey + ".bundle.aZ0.xy", kKey + ".bundle-aZ09xy", kKey + "0.bundle",
        str("x", kKey, ".bundle"), kKey.substr(1) + ".bundle", str("G", kKey.substr(1), ".bundle"),
        std::string(".bundle"), std::string(), kKey + ".snapshot"}) {
    EXPECT_FALSE(isCacheFileName(other, ".bundle")) << other;
  }
}

TEST_F(CacheFiles, FindsAndRemovesItsOwnOnly) {
  const fs::path folder = kSnapshots.folder;
  write(folder / (kKey + ".snapshot"), 10);
  write(folder / (kKey + ".snapshot.abcdef"), 5);
  write(folder / "notes.txt", 100);
  write(kKey + ".snapshot", 100);  // Not in its folder.
  fs::create_directory(cache_ / folder / str("f", kKey.substr(1), ".snapshot"));
  fs::create_symlink(cache_ / folder / "notes.txt",
                     cache_ / folder / str("e", kKey.substr(1), ".snapshot"));
  const auto files = cacheFiles(cache_, kSnapshots);
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].bytes + files[1].bytes, 15u);
  removeCacheFiles(files);
  EXPECT_TRUE(cacheFiles(cache_, kSnapshots).empty());
  EXPECT_EQ(std::distance(fs::directory_iterator(cache_ / folder), fs::directory_iterator()), 3);
  EXPECT_TRUE(fs::exists(cache_ / (kKey + ".snapshot")));
  removeCacheFiles(files);  // Another process was quicker.
}

TEST_F(CacheFiles, TrimsTheOldestAndWhatIsTooLarge) {
  const fs::path folder = cache_ / kSnapshots.folder;
  const auto add = [&](char name, std::size_t bytes) {
    const fs::path file = folder / str(std::string(32, name), kSnapshots.extension);
    write(file, bytes);
    // By age: as they are named.
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours('z' - name));
    trimAround(file, 100);
    std::string left;
    for (char one = 'a'; one <= 'z'; ++one) {
      if (fs::exists(folder / str(std::string(32, one), kSnapshots.extension))) left += one;
    }
    return left;
  };
  EXPECT_EQ(add('a', 25), "a");
  EXPECT_EQ(add('b', 26), "a");  // Too large.
  EXPECT_EQ(add('c', 25), "ac");
  EXPECT_EQ(add('d', 25), "acd");
  EXPECT_EQ(add('e', 25), "acde");
  EXPECT_EQ(add('f', 1), "def");  // To three quarters, without the oldest.
  trimAround(folder / "missing", 100);
  trimAround(folder / "missing" / "too", 100);
  EXPECT_EQ(cacheFiles(cache_, kSnapshots).size(), 3u);
}

TEST_F(CacheFiles, FindsNothingWhereThereIsNothing) {
  EXPECT_TRUE(cacheFiles(cache_, kBundles).empty());
  EXPECT_TRUE(cacheFiles(cache_ / "missing", kBundles).empty());
  write("file", 1);
  fs::remove_all(cache_ / kSnapshots.folder);
  write(kSnapshots.folder, 1);
  EXPECT_THROW(cacheFiles(cache_, kSnapshots), Error);
}

}  // namespace
}  // namespace schemascript
