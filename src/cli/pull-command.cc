// `schemascript pull`
#include <stdlib.h>

#include <algorithm>
#include <system_error>

#include "base/file.h"
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

// The CREATE statements of a schema file, as `compile --emit sql` makes them.
std::string statementsOf(std::string_view text, const Limits& limits) {
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
  if (reportEnd(end, limits) != ExitCode::Success) {
    throw internal("a bug of SchemaScript: the schema that was written cannot be evaluated");
  }
  std::string sql;
  for (const EmittedFile& emitted : end.report.emitted) sql += emitted.text;
  return sql;
}

// In what the schema that was written differs from the database's, evaluated like any other. What
// was left out is known.
std::vector<std::string> differencesOf(const PulledSchema& pulled, const Database& database,
                                       const Limits& limits) {
  const Schema written = readDesired(statementsOf(pulled.text, limits), database);
  return differencesBetween(written, pulled.schema);
}

std::string linesOf(const std::vector<LeftOut>& leftOut) {
  std::string lines;
  for (const LeftOut& each : leftOut) lines += str("\n  ", each.what, ": ", each.why);
  return lines;
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
  const PulledSchema pulled = pull(database);
  if (!pulled.leftOut.empty() && !command.isPartial) {
    throw conflict(str("the database has what a schema cannot have; nothing was written",
                       linesOf(pulled.leftOut), "\n--partial writes all the rest"));
  }
  const std::vector<std::string> differences = differencesOf(pulled, database, command.limits);
  if (!differences.empty()) {
    std::string message = "a bug of SchemaScript: what was read is not what would be written";
    for (const std::string& difference : differences) message += str("\n  ", difference);
    throw internal(message);
  }
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
