// What a session tells of each statement that it executes, for whoever wants to see an app's SQL.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/query.h"
#include "database/transactions.h"

namespace schemascript {

// Of a cursor: from where it was opened until it was closed.
struct TracedStatement {
  // Run, All, Values, Get and Iterate: a statement of the guest's, alone or in a batch. Begin,
  // Commit and Rollback: what the host executes for a transaction, also for that of a batch. Push:
  // `sql` is the schema that was asked for, and not what it took to get there.
  Method method = Method::Run;
  // As it was asked for: also with values that the app itself wrote into it.
  std::string sql{};
  // The one that it began, ended or ran in, which for a batch is one that the guest does not know;
  // none: outside of any.
  std::optional<TransactionHandle> transaction{};
  // Compiling, waiting and encoding the rows included; between two fetches of a cursor, and opening
  // a connection, not.
  std::chrono::nanoseconds took{};
  // The part of it for its turn to write and for locks of other connections.
  std::chrono::nanoseconds waited{};
  // Answered; also those of an answer that failed after them.
  std::uint64_t rows = 0;
  // Inserted, updated or deleted; 0 when it failed.
  std::int64_t changes = 0;
  // It is one that can answer rows, such as SELECT or one with RETURNING. False when it failed.
  bool hasRows = false;
  // It was not in the statement cache. False for what is not the guest's.
  bool compiled = false;
  // The message; empty: it succeeded. Does not repeat `values`.
  std::string error{};
  // Those that were bound, `[7, "Ada", a blob of 12 bytes]`, cut as listValues() has it. Always
  // empty when the session does not show bound values.
  std::string values{};
};

// Called on the session's thread, at the end of the request that executed the statement, or that
// closed the cursor. What it throws ends the guest and comes out of Session::query() or finish();
// it is not called again afterwards.
using StatementSink = std::function<void(const TracedStatement&)>;

// `sql` on one line where that is possible: blanks, line ends and comments between its words become
// one blank. What stands in quotes stays as it is, with line ends and control characters.
std::string foldSql(std::string_view sql);

// `3 rows`, `1 change`, `failed`; empty for what has no such outcome: a transaction, a push.
std::string outcomeOf(const TracedStatement& statement);

// `0.123 ms`.
std::string formatStatementTime(std::chrono::nanoseconds time);

}  // namespace schemascript
