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

// Why an app that declares `wanted` cannot work on `present`, a line each: what is missing or is
// otherwise, and what its tables have beside that would refuse its rows, such as a unique index, or
// a column that must not be NULL and has no default. Other things that it does not know do no harm.
std::vector<std::string> lacksOf(const Schema& wanted, const Schema& present);

}  // namespace schemascript
