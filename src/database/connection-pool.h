// The connections of this process to one database, and the order in which they write.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "database/connection-source.h"
#include "database/database.h"

namespace schemascript {

// More connections than this do not wait for somebody to need them: each has up to 2 MB of the
// database's pages and three files, and opening one takes some 0.3 ms.
inline constexpr std::size_t kIdleConnectionsMax = 8;

// Thread-safe; each connection is used by one thread at a time. One that comes back in a
// transaction, or may not be reused, is closed, which rolls back.
class ConnectionPool final : public ConnectionSource {
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
  ~ConnectionPool() override = default;

  // The one that was given back last, for its caches; or a new one. Throws Unavailable when
  // connectionsMax are lent, and as Database does.
  Connection lend();
  // There always is one, or an error.
  std::optional<Connection> tryLendForRun(std::chrono::milliseconds runTimeMax) override;

  const DatabaseOptions& options() const noexcept { return options_; }
  Counters counters() const;

 private:
  void takeBack(Database& database) noexcept override;

  const DatabaseOptions options_;
  mutable std::mutex mutex_;
  std::size_t lent_ = 0;
  // Those that are lent belong to their Connection.
  std::vector<std::unique_ptr<Database>> idle_;  // The one that was used last at the end.
};

}  // namespace schemascript
