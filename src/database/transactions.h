// A guest's transaction on one connection: handles on the outside, a stack of a BEGIN and its
// savepoints on the inside; or of savepoints only, in a transaction of the host's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "database/database.h"

namespace schemascript {

// What a guest knows a transaction by. Counted from 1 within a session and never used again.
enum class TransactionHandle : std::uint32_t {};

enum class Behavior : std::uint8_t { Deferred, Immediate, Exclusive };

class Transactions {
 public:
  // Keeps references. If `database` is in a transaction, that is the host's: what is opened here
  // are savepoints of it, and it is not ended here, but where nothing less can be undone.
  // `lastHandle` is the last one that was given away, here or on another connection of the same
  // guest; 0 before the first.
  Transactions(Database& database, std::uint32_t& lastHandle) noexcept
      : database_(database),
        host_(database.inTransaction() ? Host::InTransaction : Host::Absent),
        lastHandle_(lastHandle) {}
  // Executes nothing: when something is open, the database refuses to be used again.
  ~Transactions();
  Transactions(const Transactions&) = delete;
  Transactions& operator=(const Transactions&) = delete;

  // Throws Conflict unless a request that names `handle`, or none, may run now: it must name the
  // innermost open transaction, and nothing if nothing is open. When the host's transaction has
  // ended, none may.
  void check(std::optional<TransactionHandle> handle) const;

  // Opens a transaction, or a savepoint inside of `parent`. Throws as check() does, LimitExceeded
  // beyond openTransactionsMax, Unavailable while another connection writes.
  TransactionHandle begin(std::optional<TransactionHandle> parent, Behavior behavior);
  // Throws Conflict when a deferred foreign key is not satisfied; the transaction is then still
  // open.
  void commit(TransactionHandle handle);
  // Also takes a handle whose transaction SQLite has rolled back by itself.
  void rollback(TransactionHandle handle);

  // What begin(), and commit() or rollback() of the innermost one, would execute now; rollback()
  // also releases the savepoint that it goes back to. Texts that end with the program.
  std::string_view sqlOfBegin(std::optional<TransactionHandle> parent,
                              Behavior behavior) const noexcept;
  std::string_view sqlOfCommit() const noexcept;
  std::string_view sqlOfRollback() const noexcept;

  // To be called after every failed statement: SQLite answers some errors by rolling back all.
  // True when that happened to an open transaction, or to the host's.
  bool noticeEnd();

  // Whether it was in one of the host's, and noticeEnd() has noticed that it is no more.
  bool hostHasEnded() const noexcept { return host_ == Host::Ended; }

  // Rolls back everything and answers how many transactions and savepoints were open. When it
  // throws, the host's transaction has been rolled back, or is as Database::rollbackOrAbandon()
  // leaves it.
  std::size_t rollbackAll();

  std::size_t openCount() const noexcept { return open_.size(); }
  // The outermost one. Only while one is open.
  TransactionHandle outermost() const noexcept { return open_.front(); }
  // Whether requests that name `handle` belong here: it is open, or SQLite has rolled it back and
  // nobody has asked for that yet.
  bool holds(TransactionHandle handle) const noexcept;
  bool holdsLost() const noexcept { return !lost_.empty(); }

  // Runs `action` so that it happens as a whole or, when it throws, not at all.
  template <typename Action>
  void atomically(Action&& action) {
    enterAtom();
    try {
      action();
      leaveAtom();
    } catch (...) {
      undoAtom();
      throw;
    }
  }

 private:
  enum class Command : std::uint8_t;
  enum class Host : std::uint8_t { Absent, InTransaction, Ended };

  static std::string_view textOf(Command command) noexcept;
  bool hasEnded() const noexcept;
  void checkHost() const;
  // Those that SQLite knows, the host's included.
  std::size_t depth() const noexcept { return open_.size() + (host_ == Host::Absent ? 0 : 1); }
  Command commandToBegin(std::optional<TransactionHandle> parent, Behavior behavior) const noexcept;
  Command commandToCommit() const noexcept;
  Command commandToRollback() const noexcept;
  void execute(Command command) const;
  void enterAtom();
  void leaveAtom();
  void undoAtom() noexcept;
  void rollbackSavepoints();

  Database& database_;
  Host host_;
  std::vector<TransactionHandle> open_;  // The innermost last.
  std::vector<TransactionHandle> lost_;  // What SQLite rolled back itself, the last time it did.
  std::uint32_t& lastHandle_;
};

}  // namespace schemascript
