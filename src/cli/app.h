// What the commands have in common: FILE.ts becomes a bundle, the bundle runs against a database.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/bundle.h"
#include "cli/exit-code.h"
#include "cli/source-map.h"
#include "runtime/run.h"

namespace schemascript {

// Where the build left what belongs to this program: lib/schemascript beside its bin/. Throws
// Unavailable.
std::filesystem::path libraryFolder();

// `file` and all that it imports, through the cache. Throws InvalidRequest for a file that cannot
// be read.
Bundle bundleSource(const std::filesystem::path& file);

// `file`: empty: in memory. Throws InvalidRequest for a database that cannot be there, Unavailable
// for a file that is none.
std::unique_ptr<ConnectionPool> openDatabase(const std::filesystem::path& file, Access access,
                                             Limits limits);

struct ScriptOptions {
  std::filesystem::path file;
  std::filesystem::path database;  // Empty: in memory.
  Limits limits;
  std::vector<std::string> arguments;
  PushWhen push = PushWhen::Never;
  bool readOnly = false;
  std::shared_ptr<const Capabilities> capabilities{};  // As RunOptions has them.
  BoundValueDisplay boundValues = BoundValueDisplay::Hidden;
  StatementSink trace{};  // As RunOptions has it.
  std::string emit{};     // As RunOptions has it.
  // Receives what the app writes, in source positions.
  std::function<void(LogStream, std::string_view)> log;
};

struct AppEnd {
  // What is wrong with the source files, ready to be shown. Not empty: nothing ran.
  std::string complaints;
  RunReport report;
  std::chrono::steady_clock::duration took{};  // From the start of the guest to its end.
  StatementCache::Counters statements;
  SourceMap map;
  PushResult pushed;
  // Why the push failed, in the host's own words.
  std::optional<Error> pushFailure;
};

// Throws InvalidRequest for a file that cannot be read or a database that cannot be there,
// Unavailable when the database or the machine does not let it run, and what `log` throws. The
// database is closed at the return.
AppEnd runApp(ScriptOptions options);

// Says on standard error what there is to say about `end`, with the limits of the run, and answers
// what the program ends with: Success only if the app ran to its end.
ExitCode reportEnd(AppEnd& end, const Limits& limits);

}  // namespace schemascript
