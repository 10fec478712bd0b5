#include "serve/watcher.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/file.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// How a file is told from the one that was there before.
struct Stamp {
  ::ino_t inode = 0;
  ::off_t size = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;

  bool operator==(const Stamp&) const = default;
};

std::optional<Stamp> tryStamp(const fs::path& path) noexcept {
  struct ::stat found{};
  if (::lstat(path.c_str(), &found) != 0) return std::nullopt;
  return Stamp{found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
}

using Stamps = std::map<std::string, Stamp>;  // By the file's name.

// A folder in which something is watched.
struct Folder {
  std::map<std::string, Watcher::Paths> files;  // Names, and the paths that they were given as.
  Watcher::Paths whole;                         // The folder's own path, if all in it is watched.
  int watch = -1;                               // -1: it is looked at.
  ::ino_t inode = 0;                            // Of what `watch` is on.
  Stamps stamps;
};

fs::path fullPath(const fs::path& path) {
  fs::path normal = fs::absolute(path).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();  // Of `folder/`.
}

Stamps stampsOf(const fs::path& path, const Folder& folder) {
  Stamps stamps;
  if (folder.whole.empty()) {
    for (const auto& [name, given] : folder.files) {
      if (const auto stamp = tryStamp(path / name)) stamps.emplace(name, *stamp);
    }
    return stamps;
  }
  std::error_code error;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (const auto stamp = tryStamp(at->path())) stamps.emplace(name, *stamp);
  }
  return stamps;
}

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE |
                                  IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

}  // namespace

class Watcher::Shared {
 public:
  Shared(Changed changed, WatcherOptions options)
      : changed_(std::move(changed)),
        options_(options),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_.isOpen()) throw unavailable("cannot watch files: there is no file descriptor left");
    // Without it (the user has too many already), everything is looked at.
    if (options_.way == WatcherOptions::Way::Inotify) {
      inotify_ = FileDescriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    }
  }

  void watch(const Paths& files, const Paths& folders) {
    std::map<fs::path, Folder> next;
    for (const fs::path& file : files) {
      const fs::path path = fullPath(file);
      next[path.parent_path()].files[path.filename().string()].insert(file);
    }
    for (const fs::path& folder : folders) next[fullPath(folder)].whole.insert(folder);

    const std::lock_guard lock(mutex_);
    for (auto& [path, folder] : next) {
      const auto before = folders_.find(path);
      if (before != folders_.end()) {
        folder.watch = std::exchange(before->second.watch, -1);
        folder.inode = before->second.inode;
      }
      attach(path, folder);
      folder.stamps = stampsOf(path, folder);
      // What had changed, and nobody has looked yet.
      if (before == folders_.end()) continue;
      for (const auto& [name, stamp] : before->second.stamps) {
        const auto now = folder.stamps.find(name);
        if (now == folder.stamps.end() || !(now->second == stamp)) note(folder, name);
      }
    }
    folders_.swap(next);
    for (auto& [path, folder] : next) detach(folder);
    wake();
  }

  bool isPolling() const {
    const std::lock_guard lock(mutex_);
    return std::any_of(folders_.begin(), folders_.end(),
                       [](const auto& folder) { return folder.second.watch < 0; });
  }

  void end() noexcept {
    const std::lock_guard lock(mutex_);
    isEnding_ = true;
    wake();
  }

  void run() noexcept {
    while (!wait()) {
      Paths due;
      try {
        const std::lock_guard lock(mutex_);
        readEvents();
        if (const auto now = Clock::now(); now - lookedAt_ >= options_.pollInterval) {
          for (auto& [path, folder] : folders_) look(path, folder);
          lookedAt_ = now;
        }
        due = takeDue();
      } catch (const std::exception&) {  // No memory. The next look finds what was missed.
      }
      if (due.empty()) continue;
      try {
        changed_(due);
      } catch (const std::exception&) {  // As the header says.
      }
    }
  }

 private:
  // Until there is something to do. True: the end has come.
  bool wait() noexcept {
    Clock::time_point until;
    {
      const std::lock_guard lock(mutex_);
      if (isEnding_) return true;
      until = lookedAt_ + options_.pollInterval;
      if (!pending_.empty()) until = std::min(until, dueAt());
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    std::array<pollfd, 2> files{{{wake_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
    ::poll(files.data(), files.size(),
           static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX)));
    std::uint64_t ignored;
    [[maybe_unused]] const auto read = ::read(wake_.get(), &ignored, sizeof ignored);
    const std::lock_guard lock(mutex_);
    return isEnding_;
  }

  Clock::time_point dueAt() const noexcept {
    return std::min(lastAt_ + options_.quietTime, firstAt_ + options_.gatherTimeMax);
  }

  Paths takeDue() {
    if (pending_.empty() || Clock::now() < dueAt()) return {};
    return std::exchange(pending_, {});
  }

  void note(const Folder& folder, const std::string& name) {
    Paths paths;
    if (const auto file = folder.files.find(name); file != folder.files.end()) {
      paths = file->second;
    }
    for (const fs::path& whole : folder.whole) paths.insert(whole / name);
    if (paths.empty()) return;
    lastAt_ = Clock::now();
    if (pending_.empty()) firstAt_ = lastAt_;
    pending_.merge(paths);
  }

  // Watches it, if that is possible and it is not watched.
  void attach(const fs::path& path, Folder& folder) noexcept {
    if (!inotify_.isOpen() || folder.watch >= 0) return;
    folder.watch = ::inotify_add_watch(inotify_.get(), path.c_str(), kEvents | IN_ONLYDIR);
    struct ::stat found{};
    if (::stat(path.c_str(), &found) == 0) folder.inode = found.st_ino;
  }

  void detach(Folder& folder) noexcept {
    const int watch = std::exchange(folder.watch, -1);
    if (watch < 0) return;
    // Two paths may lead to one folder, which has one watch.
    for (const auto& [path, other] : folders_) {
      if (other.watch == watch) return;
    }
    ::inotify_rm_watch(inotify_.get(), watch);
  }

  // Compares times and sizes where nothing else would tell, also after a watch was lost: the folder
  // that it was on was removed, or another one has its name now.
  void look(const fs::path& path, Folder& folder) {
    if (folder.watch >= 0) {
      struct ::stat found{};
      if (::stat(path.c_str(), &found) == 0 && found.st_ino == folder.inode) return;
      detach(folder);
    }
    attach(path, folder);
    compare(path, folder);
  }

  void compare(const fs::path& path, Folder& folder) {
    Stamps now = stampsOf(path, folder);
    for (const auto& [name, stamp] : folder.stamps) {
      const auto found = now.find(name);
      if (found == now.end() || !(found->second == stamp)) note(folder, name);
    }
    for (const auto& [name, stamp] : now) {
      if (!folder.stamps.contains(name)) note(folder, name);
    }
    folder.stamps.swap(now);
  }

  void readEvents() {
    alignas(inotify_event) std::array<char, 16 * 1'024> buffer;
    for (;;) {
      const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
      if (size <= 0) return;
      for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
        inotify_event event;
        std::memcpy(&event, buffer.data() + at, sizeof event);
        take(event, buffer.data() + at + sizeof event);
        at += sizeof event + event.len;
      }
    }
  }

  void take(const inotify_event& event, const char* name) {
    const bool isLost = (event.mask & IN_Q_OVERFLOW) != 0;  // Some were; which is not known.
    constexpr std::uint32_t kGone = IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF;
    for (auto& [path, folder] : folders_) {
      if (isLost) compare(path, folder);
      if (folder.watch < 0 || folder.watch != event.wd) continue;
      if ((event.mask & kGone) != 0) {
        // What is in it now, if there is one again, is found by looking.
        if ((event.mask & IN_IGNORED) != 0) {
          folder.watch = -1;
        } else {
          detach(folder);
        }
        lookedAt_ = {};
      } else if (event.len > 0) {
        takeName(path, folder, name);
      }
    }
  }

  // Each time, whatever its stamp says: what is written twice within one tick of the file system's
  // clock may have the same one.
  void takeName(const fs::path& path, Folder& folder, const std::string& name) {
    note(folder, name);
    if (folder.whole.empty() && !folder.files.contains(name)) return;
    folder.stamps.erase(name);
    if (const auto stamp = tryStamp(path / name)) folder.stamps.emplace(name, *stamp);
  }

  void wake() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  }

  const Changed changed_;
  const WatcherOptions options_;
  const FileDescriptor wake_;
  FileDescriptor inotify_;

  mutable std::mutex mutex_;  // Guards what follows. Not held while `changed_` is called.
  std::map<fs::path, Folder> folders_;
  Paths pending_;
  Clock::time_point firstAt_{};  // Of the changes in `pending_`.
  Clock::time_point lastAt_{};
  Clock::time_point lookedAt_{};
  bool isEnding_ = false;
};

Watcher::Watcher(Changed changed, WatcherOptions options)
    : shared_(std::make_unique<Shared>(std::move(changed), options)) {
  try {
    thread_ = std::thread([shared = shared_.get()] { shared->run(); });
  } catch (const std::system_error&) {
    throw unavailable("cannot watch files: there is no thread left");
  }
}

Watcher::~Watcher() {
  shared_->end();
  thread_.join();
}

void Watcher::watch(Paths files, Paths folders) { shared_->watch(files, folders); }

bool Watcher::isPolling() const { return shared_->isPolling(); }

}  // namespace schemascript
