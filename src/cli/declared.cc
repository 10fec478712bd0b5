#include "cli/declared.h"

#include <boost/json.hpp>

#include "cli/app.h"
#include "cli/output.h"
#include "migrate/desired.h"

namespace schemascript {
namespace {

namespace json = boost::json;

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
  declared.schema = readDesired(sql, uninterrupted);
  for (const json::value& rename : renames->get_array()) {
    if (const json::object* const each = rename.if_object()) {
      declared.renames.push_back(
          {textAt(*each, "table"), textAt(*each, "column"), textAt(*each, "was")});
    }
  }
  return declared;
}

constexpr std::string_view kOutput = "migration";

std::string textOf(const RunReport& report) {
  return report.emitted.empty() ? std::string() : report.emitted.front().text;
}

}  // namespace

std::optional<Declared> tryReadDeclared(const std::filesystem::path& file, const Limits& limits,
                                        ExitCode& code) {
  AppEnd end = runApp({
      .file = file,
      .database = {},
      .limits = limits,
      .arguments = {},
      .emit = std::string(kOutput),
      .log = [](LogStream, std::string_view text) { writeToStandardError(text); },
  });
  code = reportEnd(end, limits);
  if (code != ExitCode::Success) return std::nullopt;
  Declared declared = read(textOf(end.report));
  if (declared.schema.tables.empty()) {
    throw invalidRequest(str(file.string(), " declares no tables; nothing was written"));
  }
  return declared;
}

Declared readDeclared(const Engine& engine, Watchdog& watchdog, std::string_view bundle,
                      const Limits& limits) {
  ConnectionPool none({.limits = limits});
  const RunReport report = run(engine, watchdog, none, bundle,
                               {.limits = limits,
                                .arguments = {},
                                .emit = std::string(kOutput),
                                .log = [](LogStream, std::string_view) {}});
  if (report.end == CallEnd::Answered) return read(textOf(report));
  throw invalidRequest(
      str("the tables cannot be read from the app: ",
          report.error.message.empty() ? "it was stopped by a limit" : report.error.message));
}

}  // namespace schemascript
