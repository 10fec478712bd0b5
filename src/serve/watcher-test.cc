// Real files, changed as editors, compilers and version control change them; by inotify and by
// looking.
#include "serve/watcher.h"

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>

#include "base/file.h"
#include "base/testing.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Way = WatcherOptions::Way;

void write(const fs::path& file, std::string_view text) { std::ofstream(file) << text; }

class Watching : public testing::TestWithParam<Way> {
 protected:
  WatcherOptions options() const {
    return {.quietTime = 50ms, .gatherTimeMax = 1'000ms, .pollInterval = 20ms, .way = GetParam()};
  }

  void start(Watcher::Paths files, Watcher::Paths folders = {}) {
    watcher_.emplace(
        [this](const Watcher::Paths& paths) {
          const std::lock_guard lock(mutex_);
          all_.insert(paths.begin(), paths.end());
          ++calls_;
          called_.notify_all();
        },
        options());
    watcher_->watch(std::move(files), std::move(folders));
  }

  // What was told by the time that `path` was; empty when it never was.
  Watcher::Paths take(const fs::path& path) {
    std::unique_lock lock(mutex_);
    const bool came = called_.wait_for(lock, 10s, [&] { return all_.contains(path); });
    EXPECT_TRUE(came) << path;
    return std::exchange(all_, {});
  }

  // Whether nothing is told, although there was time to.
  bool isQuiet() {
    std::this_thread::sleep_for(200ms);
    const std::lock_guard lock(mutex_);
    return all_.empty();
  }

  TemporaryFolder folder_;
  std::mutex mutex_;
  std::condition_variable called_;
  Watcher::Paths all_;
  int calls_ = 0;
  std::optional<Watcher> watcher_;  // Ends first.
};

TEST_P(Watching, TellsOfAFileThatIsWritten) {
  const fs::path file = folder_ / "app.ts";
  const fs::path other = folder_ / "other.ts";
  write(file, "1");
  start({file});
  EXPECT_EQ(watcher_->isPolling(), GetParam() == Way::Polling);
  EXPECT_TRUE(isQuiet());
  write(other, "1");
  EXPECT_TRUE(isQuiet());
  write(file, "22");
  EXPECT_EQ(take(file), Watcher::Paths{file});
  EXPECT_TRUE(isQuiet());
}

TEST_P(Watching, TellsOfAFileThatIsReplacedAgainAndAgain) {
  const fs::path file = folder_ / "app.ts";
  write(file, "1");
  start({file});
  for (int i = 0; i < 3; ++i) {
    writeFileAtomically(file, str(i));  // As editors save: another file gets the name.
    EXPECT_EQ(take(file), Watcher::Paths{file});
  }
  // As vim does with a backup.
  fs::rename(file, folder_ / "app.ts~");
  write(file, "new");
  EXPECT_EQ(take(file), Watcher::Paths{file});
}

TEST_P(Watching, TellsOfAFileThatGoesAndComesBack) {
  const fs::path file = folder_ / "app.ts";
  start({file});
  EXPECT_TRUE(isQuiet());
  for (int i = 0; i < 2; ++i) {
    write(file, "1");
    take(file);
    fs::remove(file);
    take(file);
  }
}

TEST_P(Watching, GathersABurst) {
  const fs::path file = folder_ / "app.ts";
  const fs::path other = folder_ / "other.ts";
  start({file, other});
  write(file, "1");
  write(other, "1");
  for (int i = 0; i < 20; ++i) {
    write(file, std::string(static_cast<std::size_t>(i + 2), 'x'));
    std::this_thread::sleep_for(2ms);
  }
  take(file);
  while (!isQuiet()) take(file);
  const std::lock_guard lock(mutex_);
  EXPECT_LE(calls_, 5);  // One, unless this machine stood still meanwhile.
}

TEST_P(Watching, TellsInTimeOfWhatNeverEnds) {
  const fs::path file = folder_ / "app.ts";
  start({file});
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 1;; ++i) {
    write(file, std::string(i % 100, 'x'));
    std::this_thread::sleep_for(5ms);
    const std::lock_guard lock(mutex_);
    if (calls_ > 0 || std::chrono::steady_clock::now() - begin > 10s) break;
  }
  const std::lock_guard lock(mutex_);
  EXPECT_GT(calls_, 0);
}

TEST_P(Watching, TellsOfNewFilesInAFolder) {
  const fs::path migrations = folder_ / "migrations";
  fs::create_directory(migrations);
  start({}, {migrations});
  write(migrations / "1.sql", "x");
  EXPECT_EQ(take(migrations / "1.sql"), Watcher::Paths{migrations / "1.sql"});
  fs::remove(migrations / "1.sql");
  EXPECT_EQ(take(migrations / "1.sql"), Watcher::Paths{migrations / "1.sql"});
}

TEST_P(Watching, TellsOfWhatIsInAFolderThatAppears) {
  const fs::path file = folder_ / "later" / "deep" / "app.ts";
  const fs::path whole = folder_ / "all";
  start({file}, {whole});
  EXPECT_TRUE(watcher_->isPolling());
  for (int i = 0; i < 2; ++i) {
    fs::create_directories(file.parent_path());
    write(file, "1");
    take(file);
    fs::remove_all(folder_ / "later");
    take(file);
  }
  fs::create_directory(whole);
  write(whole / "a", "1");
  take(whole / "a");
  fs::create_directories(file.parent_path());
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(watcher_->isPolling(), GetParam() == Way::Polling);
}

TEST_P(Watching, FollowsThePathWhenItsFolderIsReplaced) {
  const fs::path file = folder_ / "a" / "b" / "app.ts";
  fs::create_directories(file.parent_path());
  fs::create_directories(folder_ / "new" / "b");
  write(file, "1");
  start({file});
  fs::rename(folder_ / "a", folder_ / "old");  // Which the watched folder itself does not feel.
  take(file);
  fs::rename(folder_ / "new", folder_ / "a");
  write(file, "22");
  take(file);
  std::this_thread::sleep_for(200ms);
  all_.clear();
  write(folder_ / "old" / "b" / "app.ts", "333");
  EXPECT_TRUE(isQuiet());
}

TEST_P(Watching, WatchesOnlyWhatItWasToldLast) {
  const fs::path first = folder_ / "first.ts";
  const fs::path second = folder_ / "second.ts";
  start({first});
  watcher_->watch({second});
  write(first, "1");
  EXPECT_TRUE(isQuiet());
  write(second, "1");
  EXPECT_EQ(take(second), Watcher::Paths{second});
  watcher_->watch({});
  write(second, "22");
  EXPECT_TRUE(isQuiet());
}

TEST_P(Watching, MayBeToldFromInside) {
  const fs::path first = folder_ / "first.ts";
  const fs::path second = folder_ / "second.ts";
  std::atomic<int> calls = 0;
  Watcher* watcher = nullptr;
  Watcher own(
      [&](const Watcher::Paths& paths) {
        watcher->watch({second});
        calls += paths.contains(second) ? 10 : 1;
        throw internal("dropped");
      },
      options());
  watcher = &own;
  own.watch({first});
  write(first, "1");
  for (int i = 0; i < 1'000 && calls == 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(calls, 1);
  write(second, "1");
  for (int i = 0; i < 1'000 && calls == 1; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(calls, 11);
}

INSTANTIATE_TEST_SUITE_P(Ways, Watching, testing::Values(Way::Inotify, Way::Polling),
                         [](const auto& way) {
                           return way.param == Way::Inotify ? "Inotify" : "Polling";
                         });

}  // namespace
}  // namespace schemascript
