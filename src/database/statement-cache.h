// Keeps guests' prepared statements and lends them: preparing costs more than most queries.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "database/statement.h"

namespace schemascript {

// A cached statement; `lent` while somebody has it.
struct CachedStatement {
  const std::string sql;  // As it was asked for: Statement::sql() may be shorter.
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

  // Compiles `sql` under Rules::Guest unless an idle statement with the same text is here. Throws
  // as Database::prepare() does. The lease must end before the cache.
  Lease lend(std::string_view sql);

  std::size_t size() const noexcept { return statements_.size(); }
  const Counters& counters() const noexcept { return counters_; }

 private:
  bool makeRoom();

  Database& database_;
  std::list<CachedStatement> statements_;  // The most recently lent first.
  // The keys are views of the texts in the list.
  std::unordered_map<std::string_view, std::list<CachedStatement>::iterator> bySql_;
  Counters counters_;
};

}  // namespace schemascript
