// A transaction of the host's as all that a guest has of a database: one connection, which the
// guest can neither commit nor leave.
#pragma once

#include <memory>

#include "database/connection-source.h"

namespace schemascript {

// Belongs to one thread at a time, with the database. Between its beginning and its end, nothing
// can be committed on this connection, by nobody: when SQLite has rolled back the transaction by
// itself, a statement that came behind it would otherwise be a transaction of its own.
class HostTransaction final : public ConnectionSource {
 public:
  // Keeps a reference to `database`, which must be in a transaction.
  explicit HostTransaction(Database& database);
  ~HostTransaction() override;

  // Lends it once at a time. An interrupt() that came before stands.
  std::optional<Connection> tryLendForRun(std::chrono::milliseconds runTimeMax) override;

  // Not when SQLite has rolled it back, or the host because nothing less could be undone.
  bool isOpen() const noexcept { return database_.inTransaction() && !database_.isAbandoned(); }

 private:
  // The connection is the host's again, with the rules that it had.
  void takeBack(Database& database) noexcept override;

  Database& database_;
  bool isLent_ = false;
  const std::shared_ptr<const Capabilities> capabilitiesBefore_;  // Owned by the database as well.
  const BoundValueDisplay displayBefore_;
};

}  // namespace schemascript
