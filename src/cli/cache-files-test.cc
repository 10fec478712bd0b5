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
