// Keeps guests' prepared statements and lends them: preparing costs more than most queries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "database/capabilities.h"
#include "database/statement.h"

namespace schemascript {

// A cached statement; `lent` while somebody has it.
struct CachedStatement {
  const std::string sql;  // As it was asked for: Statement::sql() may be shorter.
  // What it was compiled under; shared with the statement. Null: no restriction.
  const std::shared_ptr<const Capabilities> capabilities;
  Statement statement;
  bool lent = false;
};

// A statement on loan: nobody else has it. Leaving scope gives it back, also when its query failed.
class Lease {
 public:
  // Made by StatementCache::lend().
  explicit Lease(CachedStatement& cached) noexcept : cached_(&cached) { cached.lent = true; }
  explicit Lease(Statement own) noexcept : own_(std::move(own)) {}
  ~Lease() {
    if (cached_ != nullptr) cached_->lent = false;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Valid as long as the lease.
  Statement& operator*() noexcept { return cached_ != nullptr ? cached_->statement : *own_; }
  Statement* operator->() noexcept { return &**this; }

 private:
  CachedStatement* cached_ = nullptr;  // The cache's, which keeps it as long as it is lent.
  std::optional<Statement> own_;       // One that is not kept.
};

// Least recently used goes first. Belongs to its database's thread, as do the leases.
class StatementCache {
 public:
  struct Counters {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evictions = 0;
  };

  explicit StatementCache(Database& database) noexcept : database_(database) {}
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;

  // Compiles `sql` under Rules::Guest unless an idle statement with the same text is here that was
  // compiled under capabilities equal to those that the database uses now. Throws as
  // Database::prepare() does. The lease must end before the cache.
  Lease lend(std::string_view sql);

  std::size_t size() const noexcept { return statements_.size(); }
  const Counters& counters() const noexcept { return counters_; }

 private:
  // A view of a text and of capabilities. SQLite compiles a statement again under those that it was
  // compiled under first, so they are a part of what it is.
  struct Key {
    std::string_view sql;
    const Capabilities* capabilities;

    bool operator==(const Key& other) const noexcept;
  };
  struct HashKey {
    std::size_t operator()(const Key& key) const noexcept;
  };

  static Key keyOf(const CachedStatement& cached) noexcept {
    return {.sql = cached.sql, .capabilities = cached.capabilities.get()};
  }
  bool makeRoom();

  Database& database_;
  std::list<CachedStatement> statements_;  // The most recently lent first.
  // The keys lead into the list.
  std::unordered_map<Key, std::list<CachedStatement>::iterator, HashKey> byKey_;
  Counters counters_;
};

}  // namespace schemascript
