// SQLite's own allocator with a look at the stop flag, and at what was taken, before it.
#include "database/allocation.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "database/database.h"

namespace schemascript {
namespace {

// What SQLite would use, or what somebody has given to it; all null if it is too late to ask.
sqlite3_mem_methods usualMethods() noexcept {
  sqlite3_mem_methods methods{};
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &methods) != SQLITE_OK) return {};
  return methods;
}

const sqlite3_mem_methods& usual() noexcept {
  static const sqlite3_mem_methods methods = usualMethods();
  return methods;
}

std::size_t sizeOf(void* block) noexcept { return static_cast<std::size_t>(usual().xSize(block)); }

void give(ConnectionUse* use, std::size_t bytes) noexcept {
  if (use != nullptr) use->sqliteBytes += bytes;
}

// Never below nothing: a block may be from before the first scope.
void takeBack(ConnectionUse* use, std::size_t bytes) noexcept {
  if (use != nullptr) use->sqliteBytes -= std::min<std::uint64_t>(use->sqliteBytes, bytes);
}

void* allocate(int size) noexcept {
  if (AllocationScope::refuses(static_cast<std::size_t>(size))) return nullptr;
  void* const block = usual().xMalloc(size);
  ConnectionUse* const use = AllocationScope::use();
  if (use != nullptr && block != nullptr) give(use, sizeOf(block));
  return block;
}

void release(void* block) noexcept {
  ConnectionUse* const use = AllocationScope::use();
  if (use != nullptr && block != nullptr) takeBack(use, sizeOf(block));
  usual().xFree(block);
}

// Blocks that have grown into other ones, kept until the statement has made its step: the last few
// of them, as long as they are not too large together.
class Outgrown {
 public:
  // They are still those of `use`, which must outlive the step.
  void keep(void* block, std::size_t bytes, ConnectionUse* use) noexcept {
    release(next_);
    kept_[next_] = {block, bytes, use};
    bytes_ += bytes;
    next_ = (next_ + 1) % kept_.size();
    // The oldest first.
    for (std::size_t i = 0; i < kept_.size() && bytes_ > kBytesMax; ++i) {
      release((next_ + i) % kept_.size());
    }
  }
  void releaseAll() noexcept {
    if (bytes_ == 0) return;
    for (std::size_t at = 0; at < kept_.size(); ++at) release(at);
  }

 private:
  struct Block {
    void* first;
    std::size_t bytes;
    ConnectionUse* use;
  };
  static constexpr std::size_t kBytesMax = 64u << 20;

  void release(std::size_t at) noexcept {
    if (kept_[at].first == nullptr) return;
    usual().xFree(kept_[at].first);
    takeBack(kept_[at].use, kept_[at].bytes);
    bytes_ -= kept_[at].bytes;
    kept_[at] = {};
  }

  std::array<Block, 16> kept_{};
  std::size_t next_ = 0;
  std::size_t bytes_ = 0;
};

constinit thread_local Outgrown outgrown;

void* reallocate(void* old, int size) noexcept {
  if (AllocationScope::refuses(static_cast<std::size_t>(size))) return nullptr;
  ConnectionUse* const use = AllocationScope::use();
  if (use == nullptr) return usual().xRealloc(old, size);
  const std::size_t before = sizeOf(old);
  void* const larger = usual().xMalloc(size);
  if (larger == nullptr) return nullptr;
  give(use, sizeOf(larger));
  std::memcpy(larger, old, std::min(before, static_cast<std::size_t>(size)));
  outgrown.keep(old, before, use);
  return larger;
}

bool install() noexcept {
  if (usual().xMalloc == nullptr) return false;
  sqlite3_mem_methods methods = usual();
  methods.xMalloc = allocate;
  methods.xRealloc = reallocate;
  methods.xFree = release;
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK;
}

}  // namespace

void makeAllocationsInterruptible() { [[maybe_unused]] static const bool installed = install(); }

void AllocationScope::releaseOutgrown() noexcept { outgrown.releaseAll(); }

AllocationScope::AllocationScope(const Database& database) noexcept
    : database_(database), use_(database.use()), outer_(current_) {
  current_ = this;
  use_.shortage = Shortage::None;
}

bool AllocationScope::isOver() noexcept {
  const bool looks = ++allocations_ % kAllocationsBetweenLooks == 0;
  if (!(looks ? database_.mustStopNow() : database_.mustStop())) return false;
  ++allocationsAfterStop_;
  return hasRefused();
}

bool AllocationScope::isTooMuch(std::size_t bytes) noexcept {
  if (use_.sqliteBytes + bytes <= use_.sqliteBytesMax || !database_.runsGuest()) return false;
  use_.shortage = Shortage::SqliteBytes;
  return true;
}

}  // namespace schemascript
