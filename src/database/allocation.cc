// SQLite's own allocator with a look at the stop flag before it.
#include "database/allocation.h"

#include <sqlite3.h>

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

void* reallocate(void* old, int size) noexcept {
  return AllocationScope::refuses() ? nullptr : usual().xRealloc(old, size);
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

bool AllocationScope::isOver() noexcept {
  if (!database_.mustStop()) return false;
  ++allocationsAfterStop_;
  return hasRefused();
}

}  // namespace schemascript
