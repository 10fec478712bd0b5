#include "cli/bundle-cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

namespace schemascript {
namespace {

namespace fs = std::filesystem;

class BundleCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("bundle-cache-test-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    write("app/main.ts", "import './lib/b'; import 'p'; import '@s/q';");
    write("app/lib/b.ts", "b");
    write("node_modules/p/index.js", "p");
    write("node_modules/p/package.json", "{}");
    output_.inputs = {at("app/main.ts"), at("app/lib/b.ts"), at("node_modules/p/index.js")};
    output_.imports = {
        {at("app/main.ts"), "./lib/b"}, {at("app/main.ts"), "p"}, {at("app/main.ts"), "@s/q"}};
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string at(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& content) const {
    fs::create_directories(fs::path(at(name)).parent_path());
    std::ofstream(at(name)) << content;
  }
  // Whether what was recorded before `change` still holds after it.
  template <typename Change>
  bool survives(Change change) {
    const auto dependencies = dependenciesOf(output_);
    EXPECT_TRUE(isCurrent(dependencies));
    std::this_thread::sleep_for(std::chrono::milliseconds(15));  // Of a tick of the file clock.
    change();
    return isCurrent(dependencies);
  }

  fs::path folder_;
  EsbuildOutput output_;
};

TEST_F(BundleCacheTest, NoticesAChangedInput) {
  EXPECT_FALSE(survives([this] { write("app/lib/b.ts", "c"); }));
  EXPECT_FALSE(survives([this] { write("node_modules/p/index.js", "q"); }));
}

TEST_F(BundleCacheTest, NamesTheFilesToWatch) {
  write("package.json", "{}");
  const std::vector<std::string> files = filesOf(dependenciesOf(output_));
  const auto has = [&files, this](const std::string& name) {
    return std::ranges::find(files, at(name)) != files.end();
  };
  EXPECT_TRUE(has("app/main.ts"));
  EXPECT_TRUE(has("app/lib/b.ts"));
  EXPECT_TRUE(has("node_modules/p/package.json"));
  EXPECT_TRUE(has("package.json"));           // It is there,
  EXPECT_TRUE(has("app/lib/tsconfig.json"));  // beside an input,
  EXPECT_FALSE(has("jsconfig.json"));         // and neither of the two.
  EXPECT_FALSE(has("app"));
}

TEST_F(BundleCacheTest, DoesNotMindAnInputThatWasOnlyTouched) {
  EXPECT_TRUE(survives([this] { write("app/lib/b.ts", "b"); }));
}

TEST_F(BundleCacheTest, NoticesAMissingInput) {
  EXPECT_FALSE(survives([this] { fs::remove(at("app/lib/b.ts")); }));
}

TEST_F(BundleCacheTest, NoticesAFileThatWouldBePreferred) {
  EXPECT_FALSE(survives([this] { write("app/lib/b.tsx", ""); }));
}

TEST_F(BundleCacheTest, NoticesAFileThatWouldBePreferredToAFolder) {
  write("app/dir/sub/index.ts", "");
  output_.inputs.push_back(at("app/dir/sub/index.ts"));
  output_.imports.push_back({at("app/main.ts"), "./dir/sub"});
  EXPECT_FALSE(survives([this] { write("app/dir/sub.ts", ""); }));
}

TEST_F(BundleCacheTest, DoesNotMindTheDatabaseOfTheApp) {
  EXPECT_TRUE(survives([this] {
    write("app/notes.db", "x");
    write("app/notes.db-wal", "x");
  }));
}

TEST_F(BundleCacheTest, NoticesSettingsThatAppearOrChange) {
  EXPECT_FALSE(survives([this] { write("app/tsconfig.json", "{\"extends\": \"../base\"}"); }));
  EXPECT_FALSE(survives([this] { write("base.json", "{}"); }));
  EXPECT_FALSE(survives([this] { write("base.json", "{ }"); }));
  EXPECT_FALSE(survives([this] { write("package.json", "{}"); }));
  EXPECT_FALSE(survives([this] { write("node_modules/p/package.json", "{\"main\":\"x\"}"); }));
}

TEST_F(BundleCacheTest, FollowsSettingsThatExtendSeveral) {
  write("app/tsconfig.json", "{\"extends\": [\"./a.json\", \"./b.json\"]}");
  EXPECT_FALSE(survives([this] { write("app/b.json", "{}"); }));
}

TEST_F(BundleCacheTest, NoticesPackagesThatAppearNearer) {
  EXPECT_FALSE(survives([this] { write("app/node_modules/p/index.js", ""); }));
  EXPECT_FALSE(survives([this] { write("node_modules/other/index.js", ""); }));
  EXPECT_FALSE(survives([this] { write("node_modules/@s/q/index.js", ""); }));
  EXPECT_FALSE(survives([this] { write("node_modules/@s/r/index.js", ""); }));
}

TEST_F(BundleCacheTest, NoticesALinkThatPointsElsewhere) {
  fs::create_symlink("lib/b.ts", at("app/link.ts"));
  EXPECT_FALSE(survives([this] {
    fs::remove(at("app/link.ts"));
    fs::create_symlink("main.ts", at("app/link.ts"));
  }));
}

TEST(BundleEncoding, GivesBackWhatWentIn) {
  const CachedBundle bundle{"code\0more",
                            {{"/a.ts", "/b.ts"}, "AAAA"},
                            {{Dependency::Kind::File, "/a.ts", "x"},
                             {Dependency::Kind::Names, "/", ""},
                             {Dependency::Kind::Changed, "/n", "y"}}};
  const auto decoded = tryDecodeBundle(encodeBundle(bundle));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->code, bundle.code);
  EXPECT_EQ(decoded->map.sources, bundle.map.sources);
  EXPECT_EQ(decoded->map.mappings, bundle.map.mappings);
  ASSERT_EQ(decoded->dependencies.size(), 3u);
  EXPECT_EQ(decoded->dependencies[2].kind, Dependency::Kind::Changed);
  EXPECT_EQ(decoded->dependencies[2].path, "/n");
  EXPECT_EQ(decoded->dependencies[2].fingerprint, "y");
}

TEST(BundleEncoding, NoticesEveryCutAndEveryChangedByte) {
  const std::string text =
      encodeBundle({"code", {{"/a.ts"}, "AAAA"}, {{Dependency::Kind::File, "/a.ts", "x"}}});
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_FALSE(tryDecodeBundle(text.substr(0, i))) << i;
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(tryDecodeBundle(damaged)) << i;
  }
  EXPECT_FALSE(tryDecodeBundle(text + ' '));
}

TEST_F(BundleCacheTest, TrimsTheOldestFirst) {
  for (const char* const name : {"cache/1", "cache/2", "cache/3", "cache/4"}) {
    write(name, std::string(100, 'x'));
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
  }
  trimCache(at("cache"), 400);
  EXPECT_TRUE(fs::exists(at("cache/1")));
  trimCache(at("cache"), 399);
  EXPECT_FALSE(fs::exists(at("cache/1")));
  EXPECT_FALSE(fs::exists(at("cache/2")));
  EXPECT_TRUE(fs::exists(at("cache/3")));
  EXPECT_TRUE(fs::exists(at("cache/4")));
  trimCache(at("nowhere"), 0);
}

}  // namespace
}  // namespace schemascript
