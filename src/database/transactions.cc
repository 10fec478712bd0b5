// The stack of transactions. SQLite finds the innermost savepoint of a name, so that one name does;
// nobody else uses it, since guests cannot name any.
#include "database/transactions.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"

namespace schemascript {

enum class Transactions::Command : std::uint8_t {
  BeginDeferred,
  BeginImmediate,
  BeginExclusive,
  Commit,
  Rollback,
  Savepoint,
  Release,
  RollbackTo,
  EnterAtom,
  LeaveAtom,
  UndoAtom,
};

namespace {

// By Command.
constexpr std::array<std::string_view, 11> kCommands{
    "begin deferred",
    "begin immediate",
    "begin exclusive",
    "commit",
    "rollback",
    "savepoint schemascript",
    "release schemascript",
    "rollback to schemascript",
    "savepoint schemascript_atom",
    "release schemascript_atom",
    "rollback to schemascript_atom",
};

std::uint32_t number(TransactionHandle handle) { return static_cast<std::uint32_t>(handle); }

}  // namespace

Transactions::~Transactions() {
  if (!open_.empty()) database_.abandon();
}

std::string_view Transactions::textOf(Command command) noexcept {
  return kCommands[static_cast<std::size_t>(command)];
}

void Transactions::execute(Command command) const {
  database_.command(static_cast<std::size_t>(command), textOf(command)).run();
}

Transactions::Command Transactions::commandToBegin(std::optional<TransactionHandle> parent,
                                                   Behavior behavior) const noexcept {
  if (parent || host_ != Host::Absent) return Command::Savepoint;
  if (behavior == Behavior::Deferred) return Command::BeginDeferred;
  return behavior == Behavior::Immediate ? Command::BeginImmediate : Command::BeginExclusive;
}

Transactions::Command Transactions::commandToCommit() const noexcept {
  return depth() > 1 ? Command::Release : Command::Commit;
}

Transactions::Command Transactions::commandToRollback() const noexcept {
  return depth() > 1 ? Command::RollbackTo : Command::Rollback;
}

std::string_view Transactions::sqlOfBegin(std::optional<TransactionHandle> parent,
                                          Behavior behavior) const noexcept {
  return textOf(commandToBegin(parent, behavior));
}

std::string_view Transactions::sqlOfCommit() const noexcept { return textOf(commandToCommit()); }

std::string_view Transactions::sqlOfRollback() const noexcept {
  return textOf(commandToRollback());
}

bool Transactions::holds(TransactionHandle handle) const noexcept {
  return std::find(open_.begin(), open_.end(), handle) != open_.end() ||
         std::find(lost_.begin(), lost_.end(), handle) != lost_.end();
}

bool Transactions::hasEnded() const noexcept {
  return !database_.inTransaction() || database_.isAbandoned();
}

// A statement that ran now would be committed by itself, and a savepoint would be a transaction.
void Transactions::checkHost() const {
  if (host_ == Host::Absent || (host_ == Host::InTransaction && !hasEnded())) return;
  throw conflict(
      "all that was done here was rolled back when a statement failed, with the transaction that "
      "this code runs in; nothing more can be done");
}

void Transactions::check(std::optional<TransactionHandle> handle) const {
  checkHost();
  if (!handle) {
    if (open_.empty()) return;
    throw conflict(str("transaction ", number(open_.back()),
                       " is open, and this request is not part of it; use its tx, or wait until it "
                       "has ended"));
  }
  if (!open_.empty() && open_.back() == *handle) return;
  if (std::find(open_.begin(), open_.end(), *handle) != open_.end()) {
    throw conflict(str("transaction ", number(*handle), " has transaction ", number(open_.back()),
                       " open inside of it, and waits until that has ended"));
  }
  if (std::find(lost_.begin(), lost_.end(), *handle) != lost_.end()) {
    throw conflict(
        str("transaction ", number(*handle), " was rolled back when a statement failed"));
  }
  if (number(*handle) <= lastHandle_ && number(*handle) != 0) {
    throw conflict(str("transaction ", number(*handle), " has ended"));
  }
  throw invalidRequest(str("there is no transaction ", number(*handle)));
}

TransactionHandle Transactions::begin(std::optional<TransactionHandle> parent, Behavior behavior) {
  check(parent);
  const auto openMax = database_.limits().openTransactionsMax;
  if (open_.size() >= openMax) {
    throw limitExceeded(str(open_.size(), " transactions are open inside of each other; ",
                            "openTransactionsMax is ", openMax));
  }
  open_.reserve(openMax);  // So that nothing fails after SQLite has begun.
  execute(commandToBegin(parent, behavior));
  return open_.emplace_back(TransactionHandle{++lastHandle_});
}

void Transactions::commit(TransactionHandle handle) {
  check(handle);
  execute(commandToCommit());
  open_.pop_back();
}

void Transactions::rollback(TransactionHandle handle) {
  if (const auto lost = std::find(lost_.begin(), lost_.end(), handle); lost != lost_.end()) {
    lost_.erase(lost);
    return;
  }
  check(handle);
  const Command command = commandToRollback();
  execute(command);
  if (command == Command::RollbackTo) execute(Command::Release);
  open_.pop_back();
}

bool Transactions::noticeEnd() {
  if (open_.empty() && host_ != Host::InTransaction) return false;
  if (!hasEnded()) return false;
  if (host_ == Host::InTransaction) host_ = Host::Ended;
  lost_ = std::move(open_);
  open_.clear();
  return true;
}

std::size_t Transactions::rollbackAll() {
  const std::size_t count = open_.size();
  database_.throwIfAbandoned();
  if (database_.inTransaction()) {
    if (host_ == Host::Absent) {
      execute(Command::Rollback);
    } else {
      rollbackSavepoints();
    }
  }
  open_.clear();
  lost_.clear();
  return count;
}

void Transactions::rollbackSavepoints() {
  try {
    while (!open_.empty()) rollback(open_.back());
  } catch (...) {
    // Better nothing of it than what was not meant to stay.
    database_.rollbackOrAbandon();
    open_.clear();
    throw;
  }
}

void Transactions::enterAtom() { execute(Command::EnterAtom); }

void Transactions::leaveAtom() { execute(Command::LeaveAtom); }

void Transactions::undoAtom() noexcept {
  if (!database_.inTransaction()) return;  // SQLite has rolled back all of it.
  try {
    execute(Command::UndoAtom);
    execute(Command::LeaveAtom);
  } catch (...) {
    // Better all of it than a half. The caller is about to throw the cause, and then notices.
    database_.rollbackOrAbandon();
  }
}

}  // namespace schemascript
