// SQLite's own allocator with a look at the stop flag before it.
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

void* allocate(int size) noexcept {
  return AllocationScope::refuses() ? nullptr : usual().xMalloc(size);
}

// Blocks that have grown into other ones, kept until the statement has made its step: the last few
// of them, as long as they are not too large together.
class Outgrown {
 public:
  void keep(void* block, std::size_t bytes) noexcept {
    release(next_);
    kept_[next_] = {block, bytes};
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
  };
  static constexpr std::size_t kBytesMax = 64u << 20;

  void release(std::size_t at) noexcept {
    if (kept_[at].first == nullptr) return;
    usual().xFree(kept_[at].first);
    bytes_ -= kept_[at].bytes;
    kept_[at] = {};
  }

  std::array<Block, 16> kept_{};
  std::size_t next_ = 0;
  std::size_t bytes_ = 0;
};

constinit thread_local Outgrown outgrown;

void* reallocate(void* old, int size) noexcept {
  if (AllocationScope::refuses()) return nullptr;
  if (!AllocationScope::isOpen()) return usual().xRealloc(old, size);
  const int before = usual().xSize(old);
  void* const larger = usual().xMalloc(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, old, static_cast<std::size_t>(std::min(before, size)));
  outgrown.keep(old, static_cast<std::size_t>(before));
  return larger;
}

bool install() noexcept {
  if (usual().xMalloc == nullptr) return false;
  sqlite3_mem_methods methods = usual();
  methods.xMalloc = allocate;
  methods.xRealloc = reallocate;
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK;
}

}  // namespace

void makeAllocationsInterruptible() { [[maybe_unused]] static const bool installed = install(); }

void AllocationScope::releaseOutgrown() noexcept { outgrown.releaseAll(); }

bool AllocationScope::isOver() noexcept {
  if (!database_.mustStop()) return false;
  ++allocationsAfterStop_;
  return hasRefused();
}

}  // namespace schemascript
