// `schemascript migrate`, `rollback` and `status`
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <ctime>
#include <optional>

#include "base/units.h"
#include "cli/app.h"
#include "cli/commands.h"
#include "cli/migration-code.h"
#include "cli/progress-line.h"
#include "cli/stop-on-signal.h"
#include "cli/text.h"
#include "migrate/drizzle.h"
#include "migrate/migrator.h"

namespace schemascript {
namespace {

namespace json = boost::json;
using Action = MigrateCommand::Action;
using std::chrono::system_clock;

std::string timeOf(system_clock::time_point when) {
  const std::time_t seconds = system_clock::to_time_t(when);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

// One line on a terminal: of the copy in pages, of a statement and of code in rows.
class Display {
 public:
  void show(const MigratorProgress& progress) noexcept {
    if (progress.id.empty()) {
      line_.showShare("copying for the rehearsal", progress.pagesDone, progress.pages);
      return;
    }
    isRehearsal_ = progress.isRehearsal;
    const MigrationProgress& at = progress.statement;
    std::array<char, 64> what;
    if (at.statement > at.statements) {
      std::snprintf(what.data(), what.size(), "the checks");
    } else {
      std::snprintf(what.data(), what.size(), "statement %zu of %zu, %llu rows", at.statement,
                    at.statements, static_cast<unsigned long long>(at.rows));
    }
    show(progress.id, what.data());
  }
  void show(const std::filesystem::path& source, const RunProgress& progress) noexcept {
    std::array<char, 64> what;
    std::snprintf(what.data(), what.size(), "%.8s, %llu rows", source.filename().c_str(),
                  static_cast<unsigned long long>(progress.rows));
    show(source.parent_path().filename().native(), what.data());
  }
  // For other output.
  void hide() noexcept { line_.hide(); }

 private:
  // The name may be long: it is cut, at the end of the line.
  void show(std::string_view id, const char* what) noexcept {
    std::array<char, 256> line;
    const int size = std::snprintf(
        line.data(), line.size(), "%s: %s (%.*s)", isRehearsal_ ? "rehearsing" : "migrating", what,
        static_cast<int>(std::min<std::size_t>(id.size(), 80)), id.data());
    line_.show({line.data(), static_cast<std::size_t>(size)});
  }

  ProgressLine line_{STDERR_FILENO};
  bool isRehearsal_ = false;
};

json::object tableOf(const MigratedTable& table) {
  return {{"table", table.name},
          {"was", table.was},
          {"rowsBefore", table.rowsBefore},
          {"rowsAfter", table.rowsAfter}};
}

json::object reportOf(const MigratorReport& report, bool isDry) {
  json::array runs;
  for (const MigrationRun& run : report.runs) {
    json::array tables;
    for (const MigratedTable& table : run.result.tables) tables.push_back(tableOf(table));
    runs.push_back(json::object{{"id", run.id},
                                {"milliseconds", run.result.elapsed.count()},
                                {"tables", std::move(tables)}});
  }
  json::array changes;
  for (const TableChange& table : report.rehearsal.tables) {
    json::object change{{"table", table.name},
                        {"was", table.was},
                        {"rowsBefore", table.rowsBefore},
                        {"rowsAfter", table.rowsAfter},
                        {"sample", table.sample}};
    if (table.rowsChanged >= 0) change["rowsChanged"] = table.rowsChanged;
    changes.push_back(std::move(change));
  }
  json::array losses;
  for (const Loss& loss : report.rehearsal.losses) {
    losses.push_back(json::object{{"what", loss.what}, {"rows", loss.rows}});
  }
  json::array forgotten;
  for (const std::string& id : report.forgotten) forgotten.emplace_back(id);
  return {{"dryRun", isDry},
          {"migrations", std::move(runs)},
          {"rehearsal", json::object{{"milliseconds", report.rehearsalTook.count()},
                                     {"tables", std::move(changes)},
                                     {"losses", std::move(losses)}}},
          {"forgotten", std::move(forgotten)}};
}

std::string renderTable(const TableChange& table) {
  std::string text = str("  ", table.was);
  if (table.name.empty()) return str(text, ": ", table.rowsBefore, " rows, and it is gone\n");
  if (table.name != table.was) text += str(" -> ", table.name);
  text += str(": ", table.rowsBefore, " rows");
  if (table.rowsAfter != table.rowsBefore) text += str(" -> ", table.rowsAfter);
  if (table.rowsChanged > 0) text += str(", ", table.rowsChanged, " changed (", table.sample, ')');
  if (table.rowsChanged < 0) text += ", which have no key to compare them by";
  return text + '\n';
}

std::string renderReport(const MigratorReport& report, const MigrateCommand& command) {
  const bool isBack = command.action == Action::RollBack;
  if (report.runs.empty()) {
    return str(command.database.string(), isBack ? " has seen no migration\n" : " is up to date\n");
  }
  std::string text;
  for (const MigrationRun& run : report.runs) {
    text += str(command.dryRun ? "would " : "", isBack ? "roll back " : "apply ", run.id, " (",
                formatDuration(run.result.elapsed), ")\n");
  }
  for (const TableChange& table : report.rehearsal.tables) text += renderTable(table);
  for (const Loss& loss : report.rehearsal.losses) {
    text += str("  lost, and allowed: ", loss.what, ", ", loss.rows,
                loss.rows == 1 ? " row" : " rows", '\n');
  }
  for (const std::string& id : report.forgotten) {
    text += str("what ", id, " has dropped is not kept any more\n");
  }
  return text;
}

ExitCode showStatus(const MigrateCommand& command, Output& output) {
  Database database({.file = command.database, .access = Access::ReadOnly});
  const MigrationFolder folder = MigrationFolder::read(command.folder);
  const DatabaseStatus status = statusOf(database, folder);
  using State = MigrationStatus::State;
  bool isDone = status.drift.empty() && status.heads.size() < 2;
  std::string text;
  json::array migrations;
  for (const MigrationStatus& each : status.migrations) {
    isDone = isDone && each.state == State::Applied;
    const std::string when = each.appliedAt ? timeOf(*each.appliedAt) : std::string();
    text +=
        str(nameOf(each.state), std::string(9 - nameOf(each.state).size(), ' '), each.id,
            when.empty() ? "" : "  ", when, each.isKept ? "  what it dropped is kept" : "", '\n');
    json::object object{{"id", each.id}, {"state", nameOf(each.state)}, {"kept", each.isKept}};
    if (each.appliedAt) object["appliedAt"] = when;
    migrations.push_back(std::move(object));
  }
  json::array drift;
  if (!status.drift.empty()) {
    text += status.isUnrecorded ? "there is a schema, and no record of migrations:\n"
                                : "the schema was changed by hand:\n";
  }
  for (const std::string& difference : status.drift) {
    text += str("  ", difference, '\n');
    drift.emplace_back(difference);
  }
  json::array heads;
  for (const std::string& head : status.heads) heads.emplace_back(head);
  if (heads.size() > 1) {
    text += "the migrations have several ends; join them with: schemascript merge FILE.ts\n";
  }
  if (text.empty()) text = str("there are no migrations in ", command.folder.string(), '\n');
  output.write(command.asJson ? json::serialize(json::object{{"migrations", std::move(migrations)},
                                                             {"heads", std::move(heads)},
                                                             {"drift", std::move(drift)}}) +
                                    '\n'
                              : printable(text));
  return isDone ? ExitCode::Success : ExitCode::Threw;
}

// The code of migrations writes to standard error: standard output is the report's.
MigrationCodeOptions codeOf(const MigrateCommand& command, Display& display) {
  return {.limits = command.limits,
          .log =
              [&display](std::string_view text) {
                display.hide();
                writeToStandardError(text);
              },
          .showsRehearsal = command.dryRun,
          .progress = [&display](const std::filesystem::path& source,
                                 const RunProgress& progress) { display.show(source, progress); }};
}

MigratorOptions optionsOf(const MigrateCommand& command, Display& display) {
  MigratorOptions options;
  options.database = command.database;
  options.folder = command.folder;
  options.to = command.to;
  options.allowedLosses = command.allowedLosses;
  options.dryRun = command.dryRun;
  options.withoutKept = command.withoutKept;
  if (command.keepFor) options.keepFor = *command.keepFor;
  options.progress = [&display](const MigratorProgress& each) { display.show(each); };
  return options;
}

MigratorReport carryOut(const MigrateCommand& command) {
  Display display;
  MigrationCode code(codeOf(command, display));
  const StopOnSignal stop;
  MigratorOptions options = optionsOf(command, display);
  options.data = &code;
  options.stop = stop.token();
  return command.action == Action::Migrate ? migrate(options) : rollBack(options);
}

ExitCode adopt(const MigrateCommand& command, Output& output) {
  Display display;
  std::string text;
  for (const std::string& id : adoptBaseline(optionsOf(command, display))) {
    text += str("recorded ", id, '\n');
  }
  output.write(printable(text));
  return ExitCode::Success;
}

json::array arrayOf(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

ExitCode adoptFromDrizzle(const MigrateCommand& command, Output& output) {
  const DrizzleReport report =
      adoptDrizzle({.from = command.from, .folder = command.folder, .database = command.database});
  std::string text;
  for (const std::string& id : report.written) {
    text += str("wrote ", (command.folder / id).string(), '\n');
  }
  for (const std::string& id : report.recorded) text += str("recorded ", id, '\n');
  for (const std::string& id : report.pending) text += str("pending ", id, '\n');
  if (report.written.empty() && report.recorded.empty()) {
    text += str("all of ", command.from.string(), " was taken over before\n");
  }
  output.write(command.asJson
                   ? json::serialize(json::object{{"written", arrayOf(report.written)},
                                                  {"recorded", arrayOf(report.recorded)},
                                                  {"pending", arrayOf(report.pending)}}) +
                         '\n'
                   : printable(text));
  return ExitCode::Success;
}

}  // namespace

ExitCode migrateCommand(const MigrateCommand& command, Output& output) {
  if (command.action == Action::Status) return showStatus(command, output);
  if (command.action == Action::Adopt) return adopt(command, output);
  if (command.action == Action::AdoptDrizzle) return adoptFromDrizzle(command, output);
  const MigratorReport report = carryOut(command);
  output.write(command.asJson ? json::serialize(reportOf(report, command.dryRun)) + '\n'
                              : printable(renderReport(report, command)));
  return ExitCode::Success;
}

}  // namespace schemascript
