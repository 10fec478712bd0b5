// The schema that is wanted: a guest's CREATE statements, as SQLite reads them into an empty
// database. What is hostile in them ends here.
#pragma once

#include <string_view>
#include <vector>

#include "database/database.h"
#include "migrate/definition.h"
#include "migrate/table-shape.h"

namespace schemascript {

struct DesiredSchema {
  std::vector<TableShape> tables;
  std::vector<IndexShape> indexes;
  std::vector<Definition> virtualTables;
  std::vector<Definition> views;
  std::vector<Definition> triggers;
};

// Throws NotAllowed for anything but CREATE statements, and for what views and triggers may not
// use; InvalidRequest for what SQLite does not take, also inside of views and triggers, which
// SQLite itself reads only when they are used; LimitExceeded for too much of it, and when
// `interruptible` was interrupted.
DesiredSchema readDesired(std::string_view sql, const Database& interruptible);

// Lets an FTS5 table read the texts of the table that it searches. Under the rules of guests, so
// that an interrupt ends it.
void fillSearch(Database& database, std::string_view name);

}  // namespace schemascript
