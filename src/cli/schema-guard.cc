#include "cli/schema-guard.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/units.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLinesMax = 20;

std::string listOf(const std::vector<std::string>& lines) {
  std::string list;
  for (std::size_t i = 0; i < std::min(lines.size(), kLinesMax); ++i) {
    list += str("\n  ", lines[i]);
  }
  return lines.size() > kLinesMax ? str(list, "\n  and ", lines.size() - kLinesMax, " more") : list;
}

std::vector<std::string> pendingIn(const DatabaseStatus& status) {
  std::vector<std::string> pending;
  for (const MigrationStatus& each : status.migrations) {
    if (each.state == MigrationStatus::State::Pending) pending.push_back(each.id);
  }
  return pending;
}

std::int64_t schemaVersionOf(Database& database) {
  Statement statement = database.prepare("pragma schema_version", Rules::Host);
  Execution execution(statement, {});
  return execution.step() ? execution.column(0).integer : 0;
}

std::string countOf(std::size_t count, std::string_view what) {
  return str(count, ' ', what, count == 1 ? "" : "s");
}

}  // namespace

SchemaGuard::SchemaGuard(Schema wanted, SchemaGuardOptions options)
    : wanted_(std::move(wanted)), options_(std::move(options)) {}

void SchemaGuard::migrateFile(const fs::path& file) const {
  if (!options_.migrates) return;
  MigratorOptions options;
  options.database = file;
  options.folder = options_.migrations;
  options.data = options_.data.get();
  options.stop = options_.stop;
  const MigratorReport report = migrate(options);
  if (!options_.say) return;
  for (const MigrationRun& run : report.runs) {
    options_.say(
        str(file.string(), ": applied ", run.id, " in ", formatDuration(run.result.elapsed)));
  }
}

bool SchemaGuard::isKnown(const fs::path& file, Database& database) const {
  const std::int64_t version = schemaVersionOf(database);
  const std::lock_guard lock(mutex_);
  const auto found = right_.find(file.native());
  return found != right_.end() && found->second == version;
}

void SchemaGuard::check(ConnectionPool& pool) const {
  const fs::path& file = pool.options().file;
  if (isKnown(file, *pool.lend())) return;
  if (!file.empty()) migrateFile(file);
  const Connection database = pool.lend();
  const std::int64_t version = schemaVersionOf(*database);
  const std::vector<std::string> lacks = lacksOf(wanted_, readSchema(*database));
  if (!lacks.empty()) refuse(file, &*database, lacks);
  const std::lock_guard lock(mutex_);
  right_[file.native()] = version;
}

void SchemaGuard::checkNew(const fs::path& file) const {
  if (options_.migrates && !file.empty()) {
    migrateFile(file);
    ConnectionPool pool({.file = file});
    check(pool);
    return;
  }
  const std::vector<std::string> lacks = lacksOf(wanted_, {});
  if (!lacks.empty()) refuse(file, nullptr, lacks);
}

void SchemaGuard::refuse(const fs::path& file, Database* database,
                         const std::vector<std::string>& lacks) const {
  const std::string which = file.empty() ? "the database in memory" : file.string();
  throw conflict(str(which, " is not what ", options_.app.string(), " declares:", listOf(lacks),
                     '\n', adviceFor(file, database)));
}

std::string SchemaGuard::adviceFor(const fs::path& file, Database* database) const {
  if (file.empty()) {
    return "name a database with --db FILE, or let the tables be created in this one with --push";
  }
  const std::string app = options_.app.string();
  const MigrationFolder folder = MigrationFolder::read(options_.migrations);
  if (folder.all().empty()) {
    return str("there are no migrations in ", options_.migrations.string(),
               "; write one with schemascript generate ", app,
               options_.readOnly ? "" : ", or let what is missing be created with --push");
  }
  DatabaseStatus status;
  if (database != nullptr) {
    status = statusOf(*database, folder);
  } else {
    Database none({});
    status = statusOf(none, folder);
  }
  const std::vector<std::string> pending = pendingIn(status);
  if (pending.empty()) {
    return str("no migration in ", options_.migrations.string(),
               " leads there; write one with schemascript generate ", app,
               ", or serve the app that the database is for");
  }
  return str("it has not seen ", countOf(pending.size(), "migration"), ':', listOf(pending),
             "\ncarry ", pending.size() == 1 ? "it" : "them",
             " out with schemascript migrate --db ", file.string(),
             options_.readOnly ? "" : ", or serve with --migrate");
}

}  // namespace schemascript
