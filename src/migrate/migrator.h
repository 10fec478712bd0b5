// Brings a database to one of its app's migrations, and back.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "database/database.h"
#include "migrate/history.h"
#include "migrate/migrations.h"
#include "migrate/rehearsal.h"
#include "migrate/runner.h"

namespace schemascript {

enum class Direction : std::uint8_t { Up, Down };

enum class Stage : std::uint8_t { Rehearsal, Real };

// The up.ts and down.ts of migrations, for whoever can run them.
class DataChanges {
 public:
  virtual ~DataChanges() = default;

  // Of each that is due, before anything else is done. Throws InvalidRequest for one that cannot be
  // run.
  virtual void prepare(const std::filesystem::path& source) = 0;
  // Runs it in the transaction that `database` is in, and throws unless it has come to its end.
  // What it does is rolled back then.
  virtual void run(Database& database, const std::filesystem::path& source, Stage stage) = 0;
};

struct MigratorProgress {
  std::string_view id{};  // Of the migration; empty while the database is copied.
  bool isRehearsal = false;
  // Of the statements of a migration, or of the pages of the copy.
  MigrationProgress statement{};
  std::uint64_t pagesDone = 0;
  std::uint64_t pages = 0;
};

struct MigratorOptions {
  std::filesystem::path database{};  // Made, if it is not there, by migrate() alone.
  std::filesystem::path folder{};
  std::string to{};  // As MigrationFolder::find() takes it; empty: all, or back by one.
  // What may be lost beside what a migration itself allows: `users`, `users.email`.
  std::vector<std::string> allowedLosses{};
  bool dryRun = false;  // The rehearsal only.
  // A rollback goes on where what was dropped is not kept any more.
  bool withoutKept = false;
  // How long what migrations drop or overwrite is kept.
  std::chrono::hours keepFor{24 * 30};
  // How long another process that migrates, or writes, is waited for.
  std::chrono::milliseconds waitMax = std::chrono::minutes(10);
  // Null: a migration that has an up.ts is refused with InvalidRequest. Not owned.
  DataChanges* data = nullptr;
  // Ends it, from any thread: what runs is undone, and Unavailable says what was done before.
  std::stop_token stop{};
  // As RunnerOptions::progress.
  std::function<void(const MigratorProgress&)> progress;
};

struct MigrationRun {
  std::string id;
  MigrationResult result;  // Of the rehearsal, after a dry run.
};

struct MigratorReport {
  std::vector<MigrationRun> runs;  // In their order.
  Comparison rehearsal;            // Of all of them together.
  std::chrono::milliseconds rehearsalTook{};
  std::vector<std::string> forgotten;  // Migrations whose time to be kept was over.
};

// Carries out what the database has not seen, each migration in a transaction of its own, after all
// have been tried on a copy. Throws Conflict, and nothing is changed, when
// - a migration was changed or is gone since it was carried out,
// - two lines of migrations have no end in common,
// - the schema of the database is not the one that its migrations have led to: each difference,
// - rows do not fit, or would be lost without being allowed to be, in the rehearsal;
// and what runMigration() and RehearsalCopy throw. Another process that does the same is waited
// for, and then there is nothing left to do.
MigratorReport migrate(const MigratorOptions& options);

// The way back: from the last one to what `to` has led to, or by one. Migrations whose files are
// gone lead back by what the database has recorded of them.
MigratorReport rollBack(const MigratorOptions& options);

// Records that the database, which was made otherwise, is where `to` and what it is made from lead
// to. Throws Conflict with the differences when it is not, and when it has a record already.
std::vector<std::string> adoptBaseline(const MigratorOptions& options);

// Records that `migrations`, each made from the one before, were carried out on the database by
// somebody else: it has to have the schema of the last one. None: nothing is done. Throws Conflict
// with the differences when it has not; `file` names it there.
void recordCarriedOut(Database& database, const std::filesystem::path& file,
                      std::span<const MigrationFiles* const> migrations);

struct MigrationStatus {
  enum class State : std::uint8_t {
    Applied,
    Pending,
    Changed,  // Its files are not those that were carried out.
    Missing,  // It was carried out, and its files are gone.
  };
  State state;
  std::string id;
  std::optional<std::chrono::system_clock::time_point> appliedAt;
  bool isKept = false;  // What it has dropped is there still.
};
struct DatabaseStatus {
  std::vector<MigrationStatus> migrations;
  std::vector<std::string> heads;  // More than one: to be merged.
  // Where the schema is not the one that the migrations have led to.
  std::vector<std::string> drift;
  bool isUnrecorded = false;  // There are tables, and no record of migrations.
};

// `applied`, `pending` and so on. Valid for ever.
std::string_view nameOf(MigrationStatus::State state) noexcept;

DatabaseStatus statusOf(Database& database, const MigrationFolder& folder);

}  // namespace schemascript
