// The connections of this process to one database, and the order in which they write.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "database/database.h"
#include "database/writer-queue.h"

namespace schemascript {

class ConnectionPool;

// More connections than this do not wait for somebody to need them: each has up to 2 MB of the
// database's pages and three files, and opening one takes some 0.3 ms.
inline constexpr std::size_t kIdleConnectionsMax = 8;

// A connection on loan: nobody else has it. Goes back to its pool when it leaves its scope; one
// that is still in a transaction, or may not be reused, is closed instead, which rolls back.
class Connection {
 public:
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  Database& operator*() const noexcept { return *database_; }
  Database* operator->() const noexcept { return database_.get(); }

 private:
  friend class ConnectionPool;
  Connection(ConnectionPool& pool, std::unique_ptr<Database> database) noexcept
      : pool_(&pool), database_(std::move(database)) {}

  ConnectionPool* pool_;
  std::unique_ptr<Database> database_;  // Null when it was moved from.
};

// Thread-safe; each connection is used by one thread at a time. Must outlive what it lent.
class ConnectionPool {
 public:
  struct Counters {
    std::size_t idle = 0;
    std::size_t lent = 0;
    // Of the statement caches of all connections that are idle.
    StatementCache::Counters statements;
  };

  // Opens the first connection, so that what is wrong with the file shows now. Throws as Database
  // does. An empty `file` is a database in memory, which all connections share and which ends with
  // the pool.
  explicit ConnectionPool(DatabaseOptions options);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // The one that was given back last, for its caches; or a new one. Throws Unavailable when
  // connectionsMax are lent, and as Database does.
  Connection lend();

  WriterQueue& writers() noexcept { return writers_; }
  const DatabaseOptions& options() const noexcept { return options_; }
  Counters counters() const;

 private:
  friend class Connection;

  void takeBack(std::unique_ptr<Database> database) noexcept;

  const DatabaseOptions options_;
  WriterQueue writers_;
  mutable std::mutex mutex_;
  std::size_t lent_ = 0;
  std::vector<std::unique_ptr<Database>> idle_;  // The one that was used last at the end.
};

}  // namespace schemascript
