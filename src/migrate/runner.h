// Carries out the SQL of a migration on a database: all of it, or nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "database/database.h"
#include "migrate/plan.h"
#include "migrate/schema.h"

namespace schemascript {

struct MigrationProgress {
  std::size_t statement = 0;  // The one that runs, counted from 1; one more than all: the checks.
  std::size_t statements = 0;
  std::string_view sql;    // Of the statement; valid during the call.
  std::uint64_t rows = 0;  // That it has written so far, but for those of WITHOUT ROWID tables.
  std::chrono::milliseconds elapsed{};
};

struct RunnerOptions {
  // What the schema has to be at the end; null: it is not compared.
  const Schema* wanted = nullptr;
  // Which tables change their names, so that their rows are found.
  std::span<const Rename> renames{};
  // Tables that may have fewer rows than before, or be gone, as they are called before.
  std::span<const std::string> mayLose{};
  // Called before each statement and some ten times a second while one runs, on the caller's
  // thread, also from inside of SQLite: it must neither throw nor use the database.
  std::function<void(const MigrationProgress&)> progress{};
  // Called in the transaction: first of all; behind the statements, for changes that are no SQL;
  // and behind all checks, for the record of what was done. What they throw undoes all.
  std::function<void(Database&)> begun{};
  std::function<void(Database&)> data{};
  std::function<void(Database&)> checked{};
};

struct MigratedTable {
  std::string name;  // As it is called at the end; for one that is gone, as it was called.
  std::string was;   // The same before.
  std::int64_t rowsBefore = 0;
  std::int64_t rowsAfter = 0;
  bool isGone = false;
};

struct MigrationResult {
  // Those that were there before and that the text names; all, where there is `data`.
  std::vector<MigratedTable> tables;
  std::chrono::milliseconds elapsed{};
};

// Those of a connection that is migrated: the owner's own SQL may take its time and its memory.
Limits limitsForMigration(Limits limits) noexcept;

// Runs the statements in one transaction, with foreign keys off outside of it, as SQLite prescribes
// for changes that it cannot make in place (https://www.sqlite.org/lang_altertable.html, section
// 7). At the end, before the commit: no row is without its parent that was not so before, no table
// has fewer rows unless it may, and the schema is the wanted one. After any failure the database is
// as it was, and foreign keys are on or off as before.
//
// Throws Conflict when rows do not fit: the table, how many, why, and the keys of some of them;
// InvalidRequest and NotAllowed for what SQLite does not take, and for a text that begins or ends
// transactions or changes settings; LimitExceeded after interrupt(); Busy when another process has
// the database for longer than busyTimeMax. The database must not be in a transaction.
MigrationResult runMigration(Database& database, std::string_view sql,
                             const RunnerOptions& options = {});

}  // namespace schemascript
