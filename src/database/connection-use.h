// What SQLite has taken of the machine for one connection, beyond its database, and how much it
// may: memory and temporary files. Counted by allocation.cc and watched-vfs.cc.
#pragma once

#include <cstdint>

#include "base/limits.h"

namespace schemascript {

// What SQLite was refused, or did not get, in its last step: it tells only "full" and "no memory".
enum class Shortage : std::uint8_t {
  None,
  SqliteBytes,     // Memory beyond sqliteBytesMax.
  TemporaryBytes,  // A temporary file beyond temporaryBytesMax.
  TemporaryDisk,   // A temporary file, on a full disk.
  TemporaryFile,   // A temporary file, which could not be made.
  Disk,            // The database or its log, on a full disk or in a full MemoryFile.
};

// Belongs to a Database and its thread.
struct ConnectionUse {
  explicit ConnectionUse(const Limits& limits) noexcept
      : sqliteBytesMax(limits.sqliteBytesMax), temporaryBytesMax(limits.temporaryBytesMax) {}

  const std::uint64_t sqliteBytesMax;
  const std::uint64_t temporaryBytesMax;
  // Of blocks that were allocated in an AllocationScope of the connection and not freed in one.
  std::uint64_t sqliteBytes = 0;
  // Of files without a name that are open.
  std::uint64_t temporaryBytes = 0;
  Shortage shortage = Shortage::None;
};

}  // namespace schemascript
