#include "database/host-transaction.h"

#include "base/error.h"

namespace schemascript {

HostTransaction::HostTransaction(Database& database)
    : ConnectionSource(database.access(), database.limits().waitingWritersMax),
      database_(database),
      capabilitiesBefore_(database.capabilities()),
      displayBefore_(database.showsBoundValues() ? BoundValueDisplay::Shown
                                                 : BoundValueDisplay::Hidden) {
  SS_CHECK(isOpen(), "the database is in no transaction");
  database_.refuseCommits();
}

HostTransaction::~HostTransaction() { database_.allowCommits(); }

std::optional<Connection> HostTransaction::tryLendForRun(std::chrono::milliseconds runTimeMax) {
  if (isLent_) return std::nullopt;
  isLent_ = true;
  database_.startRunWithin(runTimeMax);
  return lent(database_);
}

void HostTransaction::takeBack(Database& database) noexcept {
  isLent_ = false;
  database.useDeadline(std::chrono::steady_clock::time_point::max(), {});
  database.useCapabilities(capabilitiesBefore_);
  database.displayBoundValues(displayBefore_);
}

}  // namespace schemascript
