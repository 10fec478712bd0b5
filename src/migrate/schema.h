// What a database consists of, as far as a schema says it.
#pragma once

#include <string>
#include <vector>

#include "database/database.h"
#include "migrate/definition.h"
#include "migrate/table-shape.h"

namespace schemascript {

struct Schema {
  std::vector<TableShape> tables;
  std::vector<IndexShape> indexes;
  std::vector<Definition> virtualTables;
  std::vector<Definition> views;
  std::vector<Definition> triggers;
};

// All but SQLite's own, what full-text search makes for itself, and what this program keeps in a
// database, whose names begin with `__schemascript_`.
Schema readSchema(Database& database);

// In what the second one differs from the first, a line each: `table users: missing`. Columns may
// come in another order, and texts in other blanks, comments, case and quotes.
std::vector<std::string> differencesBetween(const Schema& wanted, const Schema& present);

}  // namespace schemascript
