#include "database/connection-pool.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace schemascript {
namespace {

DatabaseOptions shared(DatabaseOptions options) {
  if (options.file.empty() && !options.memory) {
    MemoryFileOptions memory;
    memory.bytesMax = std::min(memory.bytesMax, options.limits.databaseBytesMax);
    options.memory = std::make_shared<MemoryFile>(memory);
  }
  return options;
}

}  // namespace

Connection::~Connection() {
  if (database_) pool_->takeBack(std::move(database_));
}

ConnectionPool::ConnectionPool(DatabaseOptions options)
    : options_(shared(std::move(options))), writers_(options_.limits.waitingWritersMax) {
  idle_.reserve(kIdleConnectionsMax);  // So that giving back cannot fail.
  idle_.push_back(std::make_unique<Database>(options_));
}

Connection ConnectionPool::lend() {
  {
    const std::lock_guard lock(mutex_);
    if (lent_ >= options_.limits.connectionsMax) {
      throw unavailable(str("all ", lent_, " connections to ", options_.file.string(),
                            " are in use, which is connectionsMax; try again later"));
    }
    ++lent_;
    if (!idle_.empty()) {
      std::unique_ptr<Database> database = std::move(idle_.back());
      idle_.pop_back();
      return {*this, std::move(database)};
    }
  }
  try {
    return {*this, std::make_unique<Database>(options_)};  // Not under the lock: it opens a file.
  } catch (...) {
    const std::lock_guard lock(mutex_);
    --lent_;
    throw;
  }
}

ConnectionPool::Counters ConnectionPool::counters() const {
  const std::lock_guard lock(mutex_);
  Counters counters{idle_.size(), lent_, {}};
  for (const auto& database : idle_) {
    const StatementCache::Counters& each = database->cacheCounters();
    counters.statements.hits += each.hits;
    counters.statements.misses += each.misses;
    counters.statements.evictions += each.evictions;
  }
  return counters;
}

void ConnectionPool::takeBack(std::unique_ptr<Database> database) noexcept {
  const bool isClean = database->isReusable() && !database->inTransaction();
  if (!isClean) database.reset();  // Rolls back. Not under the lock.
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (isClean && idle_.size() < kIdleConnectionsMax) idle_.push_back(std::move(database));
  }
  database.reset();  // Not under the lock, either.
}

}  // namespace schemascript
