// Runs one app from its first line to its end: makes a guest, evaluates the bundle, waits for
// timers, and says how it ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "bridge/pusher.h"
#include "bridge/statement-trace.h"
#include "database/connection-pool.h"
#include "database/database.h"
#include "runtime/ending.h"
#include "sandbox/engine.h"
#include "sandbox/instance.h"
#include "sandbox/watchdog.h"

namespace schemascript {

enum class PushWhen : std::uint8_t {
  Never,
  BeforeFirstQuery,  // The tables that are declared by then; at the end if there was no query.
  AtEnd,             // And no queries at all: the app is only read for its tables.
};

// A file that was made of the declared tables.
struct EmittedFile {
  std::string name;
  std::string text;
};

// What a run has done so far.
struct RunProgress {
  std::uint64_t statements = 0;  // As SessionCost has them.
  // Inserted, updated or deleted, by triggers as well, and what was rolled back later. Those that a
  // statement writes to WITHOUT ROWID tables count when it has ended.
  std::uint64_t rows = 0;
  std::chrono::milliseconds elapsed{};
};

struct RunOptions {
  Limits limits;
  std::vector<std::string> arguments;  // The app's `args`.
  PushWhen push = PushWhen::Never;
  Pusher pusher{};                                     // Unless Never.
  bool readOnly = false;                               // The app may only read.
  std::shared_ptr<const Capabilities> capabilities{};  // What it may touch; null: everything.
  BoundValueDisplay boundValues = BoundValueDisplay::Hidden;  // In messages and the trace.
  // Is told of the app's SQL, on the thread that runs it; may be empty. As SessionOptions has it.
  StatementSink trace{};
  // Not empty: the app is only read for its tables, and this output is made of them: `ts`, `json`,
  // `js`, `sql`, `mermaid`, `svg`, `text`, `describe` or `migration`.
  std::string emit{};
  // Receives what the app writes, on the thread that runs it.
  std::function<void(LogStream, std::string_view)> log;
  // For runWithin(): is told some ten times a second as long as there are statements, on the thread
  // that runs the app, from inside of SQLite: it must neither throw nor use the database.
  std::function<void(const RunProgress&)> progress{};
};

struct RunReport {
  using End = CallEnd;  // Answered: it ran to its end. Neither NoSuchExport nor BadArgument;
                        // Cancelled by runWithin() only.
  End end = End::Answered;
  ErrorDescription error;
  std::vector<EmittedFile> emitted;
  std::size_t rolledBack = 0;     // Transactions that were open at the end, which were rolled back.
  std::uint64_t memoryBytes = 0;  // Linear memory at the end.
  std::uint64_t fuel = 0;         // As CallReport::Cost has it.
  // Of runWithin(). The host's transaction is no more, and nothing of what was done in it.
  bool transactionEnded = false;
  RunProgress done{};  // Of runWithin(): at the end.
};

// The file name in stacks of the app's bundle.
inline constexpr std::string_view kBundleName = "schemascript:app";

// Throws Unavailable when no guest can be made, Internal for bugs of ours, and whatever `log` and
// `trace` throw; how the app ended, however badly, is in the report.
RunReport run(const Engine& engine, Watchdog& watchdog, ConnectionPool& pool,
              std::string_view bundle, RunOptions options);

// Runs one app inside of the transaction that `database` is in, which the host has begun and will
// end: all of the app's statements go over this connection, and what they see is what was done in
// the transaction so far. The app's own transactions are savepoints of it. While one is open, what
// is not part of it waits, reading too; a loop over db.iterate() may meet rows that its body
// writes. Nothing is committed, and settings of the connection, foreign keys among them, stay as
// they are. There is no push and no `emit`.
//
// At the end, whatever it is, also when this throws, the database is still in the transaction,
// with what the app did outside of transactions that were left open, and no statement of the app's
// goes on. Unless the report ends with Answered, roll back, and close a connection that is not
// isReusable(). Where SQLite has rolled back the transaction itself, as it does for INSERT OR
// ROLLBACK, RAISE(ROLLBACK), an interrupted write, or without memory or disk, everything behind it
// was refused: `transactionEnded` is true, and the end is not Answered. What cannot be undone alone
// when this throws is rolled back with all: Database::rollbackOrAbandon() takes both.
//
// Database::interrupt() from another thread ends the app within some 30 ms, also when it was called
// before, or while the app waits: Cancelled. The interrupt stands then, and may after TimeExceeded;
// only statements of Rules::Host run after it, such as ROLLBACK.
//
// The database is used by a thread of the app's own meanwhile, and must not be used by others.
// Throws as run() does.
RunReport runWithin(const Engine& engine, Watchdog& watchdog, Database& database,
                    std::string_view bundle, RunOptions options);

// For runWithin() with an app that changes data: without any limit on what all of it takes
// together, time, fuel, statements, rows and bytes of answers, and its log. What it has at once is
// limited as before: memory, one request, one answer, transactions inside of each other. A caller
// who wants it to end sets runTimeMax, and leaves the others; sqlTimeMax would be an error that the
// app can catch. The connection has limits of its own, from when it was opened.
Limits limitsOfMigration(Limits limits) noexcept;

}  // namespace schemascript
