// Notices that files have changed, for a server that starts anew when its app's sources do.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <thread>

namespace schemascript {

struct WatcherOptions {
  // A change is told when nothing else changed for so long: editors and compilers write many files,
  // and one in several steps.
  std::chrono::milliseconds quietTime{50};
  // However much goes on: it is told after this time at the latest.
  std::chrono::milliseconds gatherTimeMax{1'000};
  // How often files are looked at where inotify is not to be had, and for folders that are not
  // there.
  std::chrono::milliseconds pollInterval{500};
  enum class Way : std::uint8_t { Inotify, Polling };
  Way way = Way::Inotify;
};

// Watches files, and folders with what is in them, but not what is in folders of those. What is
// watched may come to be, be replaced by renaming, and go. Uses inotify(7) on the folders that the
// files are in, because a file that is replaced is another inode; where a folder cannot be watched
// (no such folder, or the user has no watches left), looks at times and sizes instead. A file that
// is a symbolic link is the link, not what it leads to. Thread-safe,
// but for being destroyed.
class Watcher {
 public:
  using Paths = std::set<std::filesystem::path>;
  // What changed, appeared or went: of the watched files their paths as they were given; in watched
  // folders, the folder's with the file's name. Called on the watcher's thread, never twice at the
  // same time; what it throws is dropped. It may call watch().
  using Changed = std::function<void(const Paths& paths)>;

  // Watches nothing yet. Throws Unavailable when there is no thread or file descriptor left.
  explicit Watcher(Changed changed, WatcherOptions options = {});
  // Returns when `changed` has.
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // From now on watches these, and only these. A change is noticed when it happens after this has
  // returned; one between that and the time when somebody last read the file is not.
  void watch(Paths files, Paths folders = {});

  // Whether something has to be looked at again and again.
  bool isPolling() const;

 private:
  class Shared;

  const std::unique_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace schemascript
