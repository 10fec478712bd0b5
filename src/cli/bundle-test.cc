#include "cli/bundle.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

// With a program in place of esbuild that counts its runs and copies its entry.
class BundleTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("bundle-test-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "app");
    write("esbuild", str(R"sh(#!/bin/sh
echo run >> )sh",
                         (folder_ / "runs").string(), R"sh(
if /usr/bin/grep -q bad "$1"; then echo 'X [ERROR] it is bad' >&2; exit 1; fi
/usr/bin/cat "$1"
printf '//# sourceMappingURL=data:application/json;base64,%s\n' \
  "$(printf '{"sources":["../..%s/app.ts"],"mappings":"AAAA"}' "$PWD" | /usr/bin/base64 -w0)"
printf '{"inputs":{"app.ts":{"imports":[]}}}' >&3
if /usr/bin/grep -q slow "$1"; then echo changed > "$1"; fi
)sh"));
    ::chmod((folder_ / "esbuild").c_str(), 0755);
    options_ = {folder_ / "esbuild", folder_ / "cache" / "bundles", 64 << 20};
    writeApp("one\n");
  }
  void TearDown() override {
    std::error_code ignored;
    fs::permissions(folder_ / "cache", fs::perms::owner_all, ignored);
    fs::remove_all(folder_);
  }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
  }
  // So long before a run that its time is another one.
  void writeApp(const std::string& content) const {
    write("app/app.ts", content);
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
  }
  Bundle bundle() const { return bundleApp(folder_ / "app" / "app.ts", options_); }
  int runs() const {
    std::ifstream file(folder_ / "runs");
    int lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }
  fs::path kept() const { return fs::directory_iterator(options_.cacheFolder)->path(); }

  fs::path folder_;
  BundleOptions options_;
};

TEST_F(BundleTest, IsMadeOnce) {
  for (int i = 0; i < 3; ++i) {
    const Bundle made = bundle();
    EXPECT_EQ(made.complaints, "");
    EXPECT_EQ(made.code, "one\n");
    EXPECT_EQ(made.map.sources, (std::vector<std::string>{folder_ / "app" / "app.ts"}));
    EXPECT_EQ(made.map.mappings, "AAAA");
    EXPECT_NE(std::ranges::find(made.files, (folder_ / "app" / "app.ts").string()),
              made.files.end());
  }
  EXPECT_EQ(runs(), 1);
}

TEST_F(BundleTest, IsMadeAgainWhenAnInputChanges) {
  bundle();
  writeApp("two\n");
  EXPECT_EQ(bundle().code, "two\n");
  EXPECT_EQ(bundle().code, "two\n");
  EXPECT_EQ(runs(), 2);
}

TEST_F(BundleTest, IsMadeAgainByAnotherEsbuild) {
  bundle();
  fs::last_write_time(folder_ / "esbuild",
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  bundle();
  EXPECT_EQ(runs(), 2);
}

TEST_F(BundleTest, IsNotKeptWhenAnInputChangedMeanwhile) {
  writeApp("slow\n");
  EXPECT_EQ(bundle().code, "slow\n");
  EXPECT_EQ(bundle().code, "changed\n");
}

TEST_F(BundleTest, IsMadeAgainWhenTheKeptOneIsDamaged) {
  bundle();
  std::ofstream(kept()) << "nonsense";
  EXPECT_EQ(bundle().code, "one\n");
  EXPECT_EQ(runs(), 2);
  EXPECT_EQ(bundle().code, "one\n");
  EXPECT_EQ(runs(), 2);
}

TEST_F(BundleTest, WorksWithoutACache) {
  options_.cacheFolder = "/proc/nowhere/bundles";
  EXPECT_EQ(bundle().code, "one\n");
  options_.cacheFolder.clear();
  EXPECT_EQ(bundle().code, "one\n");
  EXPECT_EQ(runs(), 2);
}

TEST_F(BundleTest, WorksWhenTheKeptOneIsAFolder) {
  bundle();
  const fs::path file = kept();
  fs::remove(file);
  fs::create_directory(file);
  EXPECT_EQ(bundle().code, "one\n");
}

TEST_F(BundleTest, HandsOnWhatIsWrongAndKeepsNothing) {
  writeApp("bad\n");
  EXPECT_EQ(bundle().complaints, "it is bad\n");
  const Bundle again = bundle();
  EXPECT_EQ(again.complaints, "it is bad\n");
  ASSERT_EQ(again.problems.size(), 1u);
  EXPECT_EQ(again.problems[0].headline, "it is bad");
  EXPECT_EQ(runs(), 2);
}

TEST_F(BundleTest, MayBeMadeByManyAtOnce) {
  std::vector<std::thread> threads;
  std::vector<std::string> codes(8);
  for (std::string& code : codes) {
    threads.emplace_back([this, &code] {
      for (int i = 0; i < 5; ++i) code = bundle().code;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& code : codes) EXPECT_EQ(code, "one\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(options_.cacheFolder), {}), 1);
}

TEST_F(BundleTest, RefusesAFileThatIsNotThere) {
  EXPECT_THROW(bundleApp(folder_ / "no.ts", options_), Error);
}

}  // namespace
}  // namespace schemascript
