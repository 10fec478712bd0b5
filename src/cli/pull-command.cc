// `schemascript pull`
#include <stdlib.h>

#include <chrono>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "base/units.h"
#include "cli/app.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "migrate/desired.h"
#include "migrate/pull.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

// A folder that is removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code failure;
    std::string name = (fs::temp_directory_path(failure) / "schemascript-XXXXXX").string();
    if (failure || ::mkdtemp(name.data()) == nullptr) {
      throw unavailable(str("cannot make a folder for a temporary file in ", name));
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

// The CREATE statements of a schema file, as `compile --emit sql` makes them. Nothing when they
// cannot be made, which has been said then.
std::optional<std::string> tryFindStatements(std::string_view text, const Limits& limits,
                                             ExitCode& code) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "schema.ts";
  writeFileAtomically(file, text);
  AppEnd end = runApp({
      .file = file,
      .database = {},
      .limits = limits,
      .arguments = {},
      .emit = "sql",
      .log = [](LogStream, std::string_view said) { writeToStandardError(said); },
  });
  code = reportEnd(end, limits);
  if (code == ExitCode::Limit) return std::nullopt;
  if (code != ExitCode::Success) {
    throw internal("a bug of SchemaScript: the schema that was written cannot be evaluated");
  }
  std::string sql;
  for (const EmittedFile& emitted : end.report.emitted) sql += emitted.text;
  return sql;
}

// Throws when the statements of what was written make another schema than the database's.
void checkStatements(std::string_view sql, const PulledSchema& pulled, const Database& database) {
  const std::vector<std::string> differences =
      differencesBetween(readDesired(sql, database), pulled.schema);
  if (differences.empty()) return;
  std::string message = "a bug of SchemaScript: what was read is not what would be written";
  for (const std::string& difference : differences) message += str("\n  ", difference);
  throw internal(std::move(message));
}

std::string linesOf(const std::vector<LeftOut>& leftOut) {
  std::string lines;
  for (const LeftOut& each : leftOut) lines += str("\n  ", each.what, ": ", each.why);
  return lines;
}

PulledSchema pullInTime(Database& database, std::chrono::milliseconds timeMax) {
  const auto deadline = std::chrono::steady_clock::now() + timeMax;
  database.useDeadline(deadline, timeMax);
  try {
    return pull(database);
  } catch (const Error& error) {
    const bool isLate = std::chrono::steady_clock::now() >= deadline;
    if (error.code() != ErrorCode::LimitExceeded || !isLate) throw;
    throw limitExceeded(
        str("the time limit of ", formatDuration(timeMax), " was exceeded (--time-limit)"));
  }
}

void checkTarget(const PullCommand& command) {
  std::error_code ignored;
  if (command.output.empty() || command.replace == Replace::Yes) return;
  if (fs::exists(fs::symlink_status(command.output, ignored))) {
    throw invalidRequest(str(command.output.string(), " is there already; --force replaces it"));
  }
}

}  // namespace

ExitCode pullCommand(const PullCommand& command, Output& output) {
  checkTarget(command);
  Database database(
      {.file = command.database, .access = Access::ReadOnly, .limits = command.limits});
  const PulledSchema pulled = pullInTime(database, command.limits.runTimeMax);
  if (!pulled.leftOut.empty() && !command.isPartial) {
    throw conflict(str("the database has what a schema cannot have; nothing was written",
                       linesOf(pulled.leftOut), "\n--partial writes all the rest"));
  }
  // Evaluated like any other schema.
  ExitCode code = ExitCode::Success;
  const auto sql = tryFindStatements(pulled.text, command.limits, code);
  if (!sql) return code;
  checkStatements(*sql, pulled, database);
  if (command.output.empty()) {
    output.write(pulled.text);
  } else {
    writeFileAtomically(command.output, pulled.text);
    writeToStandardError(printable(str("wrote ", command.output.string(), '\n')));
  }
  if (pulled.leftOut.empty()) return ExitCode::Success;
  writeToStandardError(printable(str("left out:", linesOf(pulled.leftOut), '\n')));
  return exitCodeOf(ErrorCode::Conflict);
}

}  // namespace schemascript
