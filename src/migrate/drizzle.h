// Migrations that drizzle-kit has made, taken over: its folder, and the table in which drizzle-orm
// records what a database has seen.
//
// Formats, as drizzle-kit 0.31 and drizzle-orm 0.45 write and read them: `meta/_journal.json` lists
// `TAG.sql` files in their order, with the time `when` at which each was made, in milliseconds
// since 1970; newer ones are folders `YYYYMMDDHHMMSS_NAME` with a `migration.sql` each. The table
// `__drizzle_migrations` has that time of each migration as `created_at`, by which drizzle-orm
// tells them apart.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "migrate/migrations.h"

namespace schemascript {

struct DrizzleMigration {
  std::string name;            // Its tag, or its folder's name.
  std::filesystem::path file;  // For messages.
  std::int64_t when = 0;       // Milliseconds since 1970.
  std::string sql;
};

// In the order in which they are carried out. Throws InvalidRequest, naming the file, for what is
// missing or no such folder, and for another database's.
std::vector<DrizzleMigration> readDrizzleFolder(const std::filesystem::path& folder);

// The same as migrations of ours, each made from the one before: up.sql has their statements as
// they are, without PRAGMA foreign_keys, which means nothing in a transaction; down.sql is
// planned. Nothing is written. Throws InvalidRequest, naming the file, for statements that cannot
// be carried out on what those before have led to.
std::vector<MigrationFiles> convertDrizzle(const std::vector<DrizzleMigration>& migrations);

struct DrizzleOptions {
  std::filesystem::path from{};      // drizzle-kit's folder.
  std::filesystem::path folder{};    // Ours; made if it is not there.
  std::filesystem::path database{};  // Empty, or no file: nothing is recorded.
};

struct DrizzleReport {
  std::vector<std::string> written;   // Ids of migrations that were not in the folder.
  std::vector<std::string> recorded;  // Those of which the database did not know.
  std::vector<std::string> pending;   // Those that it has not seen.
};

// Writes what is not in the folder yet, and records in the database what drizzle-orm has carried
// out on it. Doing it again does no harm, and takes over what has come since. The table of
// drizzle-orm stays as it is.
//
// Throws Conflict, and nothing is written, when
// - the folder has other migrations, or others made from those,
// - a migration that the database has seen is not among them, or one was skipped,
// - the schema of the database is not the one that they have led to: each difference,
// - the database has tables, and no record of drizzle-orm's;
// and as readDrizzleFolder() and convertDrizzle() do.
DrizzleReport adoptDrizzle(const DrizzleOptions& options);

}  // namespace schemascript
