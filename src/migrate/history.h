// Which migrations a database has seen: a table of our own in it, which guests cannot touch.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "database/database.h"

namespace schemascript {

struct AppliedMigration {
  std::string id;
  std::string hash;  // As MigrationFiles has it.
  std::string down;  // The SQL that leads back, for whoever has lost the file.
  std::chrono::system_clock::time_point appliedAt;
  std::chrono::milliseconds took{};
  bool isKept = true;  // What it has dropped or overwritten is there still.
};

// In the order in which they were carried out; none where there is no such table.
std::vector<AppliedMigration> readHistory(Database& database);

// In the transaction of the migration.
void recordApplied(Database& database, const AppliedMigration& applied);
void recordRolledBack(Database& database, std::string_view id);

// Empties the tables in which migrations from before `before` have kept something. One transaction.
// Answers the migrations that this was done for.
std::vector<std::string> forgetKept(Database& database,
                                    std::chrono::system_clock::time_point before);

}  // namespace schemascript
