// Lets an interrupt reach the long instructions of SQLite's that allocate as they go: reading a
// full-text search of a million words takes time with the square of them, in one instruction.
//
// And keeps for a while what is reallocated: FTS5 (up to SQLite 3.53 at least) reads the end of a
// list of positions after it has grown, for NEAR, through the pointer from before.
#pragma once

#include <cstddef>

namespace schemascript {

class Database;

// Makes SQLite's allocations fail once the database that runs on their thread must stop. For the
// whole process, once and for ever; to be called before anything else is asked of SQLite. Does
// nothing when somebody else has used SQLite before: interrupts are late then, where they would
// not be. From any thread.
void makeAllocationsInterruptible();

// While a statement of `database` runs: its allocations are those of the thread. One inside of
// another takes its place until it ends.
//
// When the database must stop, some more allocations are granted, so that whatever looks at the
// stop flag by itself ends in its own way. Then SQLite is told that there is no memory, and the
// statement ends with SQLITE_NOMEM: what an interrupt means for its transaction, this does, too.
// The file is as it was, but FTS5 may remember something else, so the connection must end.
class AllocationScope {
 public:
  // Enough for what goes on until SQLite looks for an interrupt; not for many words of a search.
  static constexpr std::size_t kAllocationsAfterStop = 100;

  explicit AllocationScope(const Database& database) noexcept
      : database_(database), outer_(current_) {
    current_ = this;
  }
  ~AllocationScope() {
    current_ = outer_;
    if (outer_ == nullptr) releaseOutgrown();
  }
  AllocationScope(const AllocationScope&) = delete;
  AllocationScope& operator=(const AllocationScope&) = delete;

  // Whether an allocation has failed for this reason.
  bool hasRefused() const noexcept { return allocationsAfterStop_ > kAllocationsAfterStop; }
  // Whether the next allocation of this thread must fail.
  static bool refuses() noexcept { return current_ != nullptr && current_->isOver(); }
  // Whether a statement runs on this thread.
  static bool isOpen() noexcept { return current_ != nullptr; }

 private:
  bool isOver() noexcept;
  static void releaseOutgrown() noexcept;

  // SQLite does not tell its allocator for whom it allocates.
  static inline constinit thread_local AllocationScope* current_ = nullptr;

  const Database& database_;
  AllocationScope* const outer_;
  std::size_t allocationsAfterStop_ = 0;
};

}  // namespace schemascript
