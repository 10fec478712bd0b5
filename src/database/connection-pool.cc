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

ConnectionPool::ConnectionPool(DatabaseOptions options)
    : ConnectionSource(options.access, options.limits.waitingWritersMax),
      options_(shared(std::move(options))) {
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
      Database& database = *idle_.back().release();
      idle_.pop_back();
      return lent(database);
    }
  }
  try {
    // Not under the lock: it opens a file.
    return lent(*std::make_unique<Database>(options_).release());
  } catch (...) {
    const std::lock_guard lock(mutex_);
    --lent_;
    throw;
  }
}

std::optional<Connection> ConnectionPool::tryLendForRun(std::chrono::milliseconds runTimeMax) {
  Connection connection = lend();
  connection->startRun(runTimeMax);
  return connection;
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

void ConnectionPool::takeBack(Database& lent) noexcept {
  std::unique_ptr<Database> database(&lent);
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
