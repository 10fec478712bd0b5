// One prepared statement: bind, step, read columns, finish. Used through a Lease for guests' SQL.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "database/authorizer.h"
#include "database/value.h"

struct sqlite3_stmt;

namespace schemascript {

class Database;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* raw) const noexcept;
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

struct Changes {
  std::int64_t rows = 0;             // Inserted, updated or deleted by the statement itself.
  std::int64_t lastInsertRowid = 0;  // 0 when it inserted nothing.
};

// A compiled statement and what is known about it. Execution runs it, one at a time.
class Statement {
 public:
  // Made by Database::prepare(). Keeps a reference to `database`. Runs under `capabilities` for
  // ever, whoever uses it.
  Statement(Database& database, StatementHandle handle, Rules rules,
            std::shared_ptr<const Capabilities> capabilities, StatementFacts facts);
  Statement(Statement&&) noexcept = default;
  ~Statement();

  // Steps until there are no rows. Throws as Execution does.
  Changes run(std::span<const ValueView> values = {});

  int columnCount() const noexcept;
  bool isReadOnly() const noexcept;
  // The text that was compiled. Valid as long as the statement.
  std::string_view sql() const noexcept;

 private:
  friend class Execution;

  Database* database_;  // Not a reference, so that a statement can be moved.
  StatementHandle handle_;
  Rules rules_;
  // Shared with the session that had the connection then, and its other statements. Null: no
  // restriction.
  std::shared_ptr<const Capabilities> capabilities_;
  StatementFacts facts_;
};

// From binding to reset. When the statements of a guest must stop, the host may end one of them, to
// clean up. Leaving scope resets the statement, also when it failed or has rows left.
class Execution {
 public:
  // Does not copy the bytes of `values`, which must stay as long as the execution; nor does
  // `statement` move meanwhile. Throws InvalidRequest when there are more or fewer values than
  // parameters, LimitExceeded when one is longer than valueBytesMax.
  explicit Execution(Statement& statement, std::span<const ValueView> values = {});
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // True when there is a row. Throws what SQLite reports, and LimitExceeded after an interrupt.
  bool step();
  // Of the present row; valid until the next step() or finish(). Throws Unavailable without memory.
  ValueView column(int index) const;
  // Ends the execution. Throws what SQLite reports only now.
  Changes finish();

 private:
  friend class Database;

  int bind(int index, const ValueView& value) noexcept;
  void giveRules() noexcept;
  void enlist() noexcept;
  [[noreturn]] void fail(int status) const;
  [[noreturn]] void failWithoutMemory() const;
  void reset() noexcept;

  Statement& statement_;
  sqlite3_stmt* const raw_;
  const bool tracksRowid_;
  bool finished_ = false;
  bool wasEnded_ = false;  // By the host, behind an interrupt.
  // In the list of those that the database's guest has begun.
  Execution* next_ = nullptr;
  Execution** previous_ = nullptr;
  std::string shownValues_;  // For messages; empty unless the database shows bound values.
  std::int64_t totalChangesBefore_ = 0;
  std::int64_t lastInsertRowidBefore_ = 0;
};

}  // namespace schemascript
