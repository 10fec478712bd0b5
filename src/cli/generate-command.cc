// `schemascript generate` and `schemascript merge`
#include <boost/json.hpp>
#include <chrono>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "migrate/desired.h"
#include "migrate/migrations.h"

namespace schemascript {
namespace {

namespace json = boost::json;

struct Declared {
  bool isEmpty = true;
  Schema schema;
  std::vector<Rename> renames;
};

std::string textAt(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// What a file declares. A guest has written the JSON: what is not as it should be is its fault.
Declared read(const std::string& text) {
  boost::system::error_code invalid;
  const json::value value = json::parse(text, invalid);
  const json::object* const object = invalid ? nullptr : value.if_object();
  const json::value* const statements = object == nullptr ? nullptr : object->if_contains("sql");
  const json::value* const renames = object == nullptr ? nullptr : object->if_contains("renames");
  if (statements == nullptr || !statements->is_array() || renames == nullptr ||
      !renames->is_array()) {
    throw guestFailed("the script has changed what its schema is read by");
  }
  std::string sql;
  for (const json::value& statement : statements->get_array()) {
    if (statement.is_string()) sql += str(std::string_view(statement.get_string()), '\n');
  }
  Declared declared;
  const Database uninterrupted({});
  declared.isEmpty = sql.empty();
  declared.schema = readDesired(sql, uninterrupted);
  for (const json::value& rename : renames->get_array()) {
    if (const json::object* const each = rename.if_object()) {
      declared.renames.push_back(
          {textAt(*each, "table"), textAt(*each, "column"), textAt(*each, "was")});
    }
  }
  return declared;
}

std::string render(const MadeMigration& made, const std::filesystem::path& folder) {
  std::string text = str("wrote ", (folder / made.files.id).string(), '\n');
  for (const MigrationStep& step : made.steps.up) {
    const std::string_view why = step.why;
    text += str("  ", step.subject, " (", nameOf(step.kind), "): ", why.substr(0, why.find('\n')),
                '\n');
  }
  return printable(text);
}

}  // namespace

ExitCode generateCommand(const GenerateCommand& command, Output& output) {
  const std::string id = newMigrationId(command.name, std::chrono::system_clock::now());
  AppEnd end = runApp({
      .file = command.file,
      .database = {},
      .limits = command.limits,
      .arguments = {},
      .emit = "migration",
      .log = [](LogStream, std::string_view text) { writeToStandardError(text); },
  });
  const ExitCode code = reportEnd(end, command.limits);
  if (code != ExitCode::Success) return code;
  const Declared declared =
      read(end.report.emitted.empty() ? std::string() : end.report.emitted.front().text);
  if (declared.isEmpty) {
    throw invalidRequest(str(command.file.string(), " declares no tables; nothing was written"));
  }
  const MigrationFolder folder = MigrationFolder::read(command.folder);
  const NewMigration description{
      .id = id, .renames = declared.renames, .allowedLosses = command.allowedLosses};
  const MadeMigration made = command.isMerge ? makeMerge(folder, declared.schema, description)
                                             : makeNext(folder, declared.schema, description);
  if (made.steps.up.empty() && !command.isMerge) {
    output.write(printable(str(command.file.string(), " declares what the migrations in ",
                               command.folder.string(), " lead to; nothing was written\n")));
    return ExitCode::Success;
  }
  writeMigration(command.folder, made.files);
  output.write(render(made, command.folder));
  return ExitCode::Success;
}

}  // namespace schemascript
