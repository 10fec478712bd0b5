// Databases in the process's memory that several connections share, with a write-ahead log and all
// that a file has: readers never wait for a writer, a second writer is told to wait. SQLite's own
// `:memory:` has one connection, its memdb no write-ahead log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace schemascript {

class MemoryStorage;

struct MemoryFileOptions {
  // The largest database. A write that would make it larger fails with SQLITE_FULL and changes
  // nothing. Its write-ahead log, which is used anew when nobody reads something old, may take as
  // much again and 5 MiB.
  std::uint64_t bytesMax = 1ull << 30;
};

// A database in memory. It lives as long as this object or a connection to it; then all of its
// memory is given back. A new one is an empty database in WAL mode, with pages of 4096 bytes.
// Any number of connections of any threads use it at once, each of them from one thread.
class MemoryFile {
 public:
  // Throws Internal when SQLite does not take the VFS.
  explicit MemoryFile(MemoryFileOptions options = {});
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // What sqlite3_open_v2() takes as file name, together with vfsName(). No other object of this
  // process ever has the same. Valid as long as this object.
  const std::string& path() const noexcept;
  // The VFS, which is registered when the first MemoryFile is made, for the rest of the process.
  // It is never the default one. It knows no other files than these; temporary files are left to
  // watchedVfs().
  static const char* vfsName() noexcept;

  const MemoryFileOptions& options() const noexcept;
  // The memory that database and write-ahead log take now, in blocks of 64 KiB. Without SQLite's
  // page caches and the index of the log (32 KiB for each 16 MiB of log). From any thread.
  std::uint64_t bytesTaken() const;

 private:
  // Owned together with the connections.
  std::shared_ptr<MemoryStorage> storage_;
};

}  // namespace schemascript
