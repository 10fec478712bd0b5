// Lets an interrupt reach the long instructions of SQLite's that allocate as they go: reading a
// full-text search of a million words takes time with the square of them, in one instruction.
//
// And counts what SQLite takes for a connection, and refuses what is more than sqliteBytesMax.
//
// And keeps for a while what is reallocated: FTS5 (up to SQLite 3.53 at least) reads the end of a
// list of positions after it has grown, for NEAR, through the pointer from before.
#pragma once

#include <cstddef>
#include <cstdint>

#include "database/connection-use.h"

namespace schemascript {

class Database;

// Makes SQLite's allocations fail once the database that runs on their thread must stop, or has as
// much as it may. For the whole process, once and for ever; to be called before anything else is
// asked of SQLite. Does nothing when somebody else has used SQLite before: interrupts are late
// then, where they would not be, and nothing is counted. From any thread.
void makeAllocationsInterruptible();

// While SQLite is called for `database`: its allocations are those of the thread. One inside of
// another takes its place until it ends. Each call that may allocate or free much has one.
//
// Memory of pages counts as well: a page cache of 2 MB, one more for each materialised result, and
// all pages of a private database in memory. Nothing is refused to the host's own statements, which
// clean up, but it is counted. A statement that was refused memory ends with SQLITE_NOMEM.
//
// When the database must stop, some more allocations are granted, so that whatever looks at the
// stop flag by itself ends in its own way. Then SQLite is told that there is no memory, and the
// statement ends with SQLITE_NOMEM: what an interrupt means for its transaction, this does, too.
// The file is as it was, but FTS5 may remember something else, so the connection must end.
class AllocationScope {
 public:
  // Enough for what goes on until SQLite looks for an interrupt; not for many words of a search.
  static constexpr std::size_t kAllocationsAfterStop = 100;

  // Forgets the shortage of the call before.
  explicit AllocationScope(const Database& database) noexcept;
  ~AllocationScope() {
    current_ = outer_;
    if (outer_ == nullptr) releaseOutgrown();
  }
  AllocationScope(const AllocationScope&) = delete;
  AllocationScope& operator=(const AllocationScope&) = delete;

  // Whether an allocation has failed for this reason.
  bool hasRefused() const noexcept { return allocationsAfterStop_ > kAllocationsAfterStop; }
  // Whether an allocation of this thread of so many bytes must fail now.
  static bool refuses(std::size_t bytes = 0) noexcept {
    return current_ != nullptr && (current_->isOver() || current_->isTooMuch(bytes));
  }
  // Of the connection that SQLite works for on this thread; null when there is none.
  static ConnectionUse* use() noexcept { return current_ == nullptr ? nullptr : &current_->use_; }
  // That connection, or null.
  static const Database* database() noexcept {
    return current_ == nullptr ? nullptr : &current_->database_;
  }

 private:
  // Allocations between two looks at the clock.
  static constexpr std::size_t kAllocationsBetweenLooks = 64;

  bool isOver() noexcept;
  bool isTooMuch(std::size_t bytes) noexcept;
  static void releaseOutgrown() noexcept;

  // SQLite does not tell its allocator for whom it allocates.
  static inline constinit thread_local AllocationScope* current_ = nullptr;

  const Database& database_;
  ConnectionUse& use_;
  AllocationScope* const outer_;
  std::size_t allocations_ = 0;
  std::size_t allocationsAfterStop_ = 0;
};

}  // namespace schemascript
