// Runs one app from its first line to its end: makes a guest, evaluates the bundle, waits for
// timers, and says how it ended.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "bridge/pusher.h"
#include "bridge/statement-trace.h"
#include "database/connection-pool.h"
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

struct RunOptions {
  Limits limits;
  std::vector<std::string> arguments;  // The app's `args`.
  PushWhen push = PushWhen::Never;
  Pusher pusher;                                       // Unless Never.
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
};

struct RunReport {
  using End =
      CallEnd;  // Answered: it ran to its end. Neither NoSuchExport, BadArgument nor Cancelled.
  End end = End::Answered;
  ErrorDescription error;
  std::vector<EmittedFile> emitted;
  std::size_t rolledBack = 0;     // Transactions that were open at the end, which were rolled back.
  std::uint64_t memoryBytes = 0;  // Linear memory at the end.
  std::uint64_t fuel = 0;         // As CallReport::Cost has it.
};

// The file name in stacks of the app's bundle.
inline constexpr std::string_view kBundleName = "schemascript:app";

// Throws Unavailable when no guest can be made, Internal
// for bugs of ours, and whatever `log` and `trace` throw; how the app ended, however badly, is in
// the report.
RunReport run(const Engine& engine, Watchdog& watchdog, ConnectionPool& pool,
              std::string_view bundle, RunOptions options);

}  // namespace schemascript
