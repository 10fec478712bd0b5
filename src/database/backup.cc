#include "database/backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

// Between two looks at the clock, the caller's progress and the locks: 4 MB of usual pages.
constexpr int kPagesAtOnce = 1'000;

struct Close {
  void operator()(sqlite3* raw) const noexcept { sqlite3_close_v2(raw); }
};
using Handle = std::unique_ptr<sqlite3, Close>;

struct Finish {
  void operator()(sqlite3_backup* raw) const noexcept { sqlite3_backup_finish(raw); }
};

[[noreturn]] void throwFor(sqlite3* handle, int status, const char* what, const fs::path& file) {
  const std::string reason = handle != nullptr && sqlite3_errcode(handle) != SQLITE_OK
                                 ? sqlite3_errmsg(handle)
                                 : sqlite3_errstr(status);
  const std::string message = str("cannot ", what, ' ', file.string(), ": ", reason);
  switch (status & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
      throw invalidRequest(message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw unavailable(str(message, "; somebody else is writing it, try again"));
    default:
      throw unavailable(message);
  }
}

Handle open(const fs::path& file, int flags) {
  sqlite3* raw = nullptr;
  const int status = sqlite3_open_v2(fs::absolute(file).c_str(), &raw,
                                     flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Handle handle(raw);
  if (status != SQLITE_OK) throwFor(raw, status, "open", file);
  sqlite3_busy_timeout(raw, static_cast<int>(Limits{}.busyTimeMax.count()));
  return handle;
}

void execute(const Handle& handle, const char* sql, const char* what, const fs::path& file) {
  const int status = sqlite3_exec(handle.get(), sql, nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) throwFor(handle.get(), status, what, file);
}

// Throws Unavailable with the first complaint.
void check(const Handle& handle, const fs::path& file) {
  std::string complaint;
  const auto row = [](void* to, int, char** values, char**) {
    *static_cast<std::string*>(to) = values[0] == nullptr ? "" : values[0];
    return 0;
  };
  const int status = sqlite3_exec(handle.get(), "PRAGMA quick_check(1)", row, &complaint, nullptr);
  if (status != SQLITE_OK) throwFor(handle.get(), status, "read", file);
  if (complaint != "ok") throw unavailable(str(file.string(), " is damaged: ", complaint));
}

void copy(const Handle& from, const fs::path& fromFile, const Handle& to, const fs::path& toFile,
          const BackupProgress& progress) {
  std::unique_ptr<sqlite3_backup, Finish> backup(
      sqlite3_backup_init(to.get(), "main", from.get(), "main"));
  if (!backup) throwFor(to.get(), sqlite3_extended_errcode(to.get()), "write", toFile);
  for (;;) {
    const int status = sqlite3_backup_step(backup.get(), kPagesAtOnce);
    if (status != SQLITE_OK && status != SQLITE_DONE) {
      // `from` has been read before, so that what is no database is `to`.
      const bool isReading = (status & 0xff) == SQLITE_CORRUPT;
      throwFor(nullptr, status, isReading ? "read" : "write", isReading ? fromFile : toFile);
    }
    if (progress) {
      const int pages = sqlite3_backup_pagecount(backup.get());
      progress(static_cast<std::uint64_t>(pages - sqlite3_backup_remaining(backup.get())),
               static_cast<std::uint64_t>(pages));
    }
    if (status == SQLITE_DONE) return;
  }
}

void refuseIfMissing(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) {
    throw invalidRequest(str("there is no database ", file.string()));
  }
}

void refuseIfSame(const fs::path& from, const fs::path& to) {
  std::error_code ignored;
  if (fs::equivalent(from, to, ignored)) {
    throw invalidRequest(str(from.string(), " and ", to.string(), " are the same file"));
  }
}

void synchronize(const fs::path& path, int flags) {
  const FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  if (!file.isOpen() || ::fsync(file.get()) != 0) {
    throw unavailable(str("cannot write ", path.string(), ": ",
                          std::error_code(errno, std::generic_category()).message()));
  }
}

// Removes what it names, with what SQLite may have put beside it, unless it was kept.
class Partial {
 public:
  explicit Partial(fs::path file) : file_(std::move(file)) { remove(); }
  ~Partial() { remove(); }
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;

  const fs::path& file() const noexcept { return file_; }

 private:
  void remove() const noexcept {
    std::error_code ignored;
    for (const char* const suffix : {"", "-journal", "-wal", "-shm"}) {
      fs::remove(fs::path(file_.native() + suffix), ignored);
    }
  }

  fs::path file_;
};

BackupResult resultOf(const fs::path& file) {
  std::error_code ignored;
  return {fs::file_size(file, ignored)};
}

}  // namespace

BackupResult backUp(const fs::path& from, const fs::path& to, Replace replace,
                    const BackupProgress& progress) {
  refuseIfMissing(from);
  refuseIfSame(from, to);
  if (replace == Replace::No && fs::exists(to)) {
    throw invalidRequest(
        str(to.string(), " exists; choose another name, or replace it with --force"));
  }
  const Handle source = open(from, SQLITE_OPEN_READWRITE);
  // Reading it all in one transaction: otherwise each write of another connection would have the
  // copying begin anew.
  execute(source, "BEGIN; SELECT count(*) FROM sqlite_schema", "read", from);
  const Partial partial(fs::path(to.native() + ".partial-" + std::to_string(::getpid())));
  {
    const Handle target = open(partial.file(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    execute(target, "PRAGMA synchronous = OFF", "write", partial.file());  // Done once, below.
    copy(source, from, target, partial.file(), progress);
    check(target, partial.file());
  }
  synchronize(partial.file(), O_RDWR);
  std::error_code error;
  fs::rename(partial.file(), to, error);
  if (error) throw unavailable(str("cannot write ", to.string(), ": ", error.message()));
  const fs::path folder = fs::absolute(to).parent_path();
  synchronize(folder, O_RDONLY | O_DIRECTORY);
  return resultOf(to);
}

BackupResult restore(const fs::path& backup, const fs::path& to, Replace replace,
                     const BackupProgress& progress) {
  refuseIfMissing(backup);
  refuseIfSame(backup, to);
  if (replace == Replace::No && fs::exists(to)) {
    throw invalidRequest(str(to.string(), " exists; its content is replaced only with --force"));
  }
  // A file in WAL mode cannot be read without a place for its -shm, unless it is immutable; a
  // backup has no log and nobody writes it.
  const Handle source = open(backup, SQLITE_OPEN_READWRITE);
  check(source, backup);
  const Handle target = open(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  copy(source, backup, target, to, progress);
  check(target, to);
  return resultOf(to);
}

}  // namespace schemascript
