// What a table is, in texts that are equal when two tables behave alike and that a person can read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "database/database.h"

namespace schemascript {

struct ColumnShape {
  std::string name;         // As it is written.
  std::string description;  // `TEXT NOT NULL DEFAULT 'a'`
};

struct IndexShape {
  std::string name;   // As it is written.
  std::string table;  // In lower case.
  std::string sql;    // As it was created.
  std::string definition;
  bool unique = false;
};

struct TableShape {
  std::string name;                  // As it is written.
  std::string sql;                   // As it was created.
  std::vector<std::string> options;  // `STRICT`, `WITHOUT ROWID`
  std::vector<ColumnShape> columns;  // In the order of the table.
  std::vector<std::string>
      constraints;  // `UNIQUE (a, b)`, `CHECK (a > 0)`, `FOREIGN KEY ...`; sorted.
};

// In which drizzle-orm records its migrations: no part of an app's schema.
inline constexpr std::string_view kDrizzleTable = "__drizzle_migrations";

// Tables and the indexes that have a statement of their own, in the order of their creation. Names
// of SQLite's own are left out, and so are kDrizzleTable, and virtual tables with what they consist
// of.
std::vector<TableShape> readTables(Database& database);
std::vector<IndexShape> readIndexes(Database& database);

// One table by its name, in any case; nothing when there is none.
std::optional<TableShape> tryReadTable(Database& database, std::string_view name);

}  // namespace schemascript
