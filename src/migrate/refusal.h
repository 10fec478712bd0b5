// Why rows do not fit: which ones they are, for a person who has to change them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "database/database.h"
#include "migrate/table-shape.h"

namespace schemascript {

// What names a row of a table to a person and in SQL: its primary key, else the rowid. Empty for a
// table that has neither, whose columns are called `rowid`, `oid` and `_rowid_`.
std::vector<std::string> keyOf(Database& database, std::string_view table);

// `id 7`, `(tenant, id) (3, 'a')`: from the columns of a row that begin at `column`.
std::string renderKey(const std::vector<std::string>& key, const Execution& row, int column = 0);

// The error of a statement of a migration that failed because of rows, with how many they are and
// the keys of some: of an INSERT ... SELECT from one table, and of a CREATE UNIQUE INDEX. All
// others stay as they are. The failed statement has changed nothing, and the transaction goes on to
// be rolled back: this one writes into it.
Error explained(Database& database, std::string_view sql, const Error& error);

// Rows of a table whose foreign keys lead to no row, by the table that they lead to.
struct MissingParents {
  std::string child;
  std::string parent;
  std::int64_t rows = 0;
  std::string sample;  // `id 4, id 9`: the keys of some; empty for WITHOUT ROWID tables.
};
std::vector<MissingParents> findMissingParents(Database& database, std::string_view table);

}  // namespace schemascript
