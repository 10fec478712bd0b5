// What the tests of migrations use: texts of several statements, and rows as texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "database/database.h"
#include "migrate/schema.h"

namespace schemascript {

inline void runAll(Database& database, std::string_view sql) {
  std::size_t at = 0;
  while (auto statement = database.tryPrepareNext(sql, at, Rules::Host)) statement->run();
}

inline Schema schemaOf(std::string_view sql) {
  Database database({});
  runAll(database, "pragma foreign_keys = off");
  runAll(database, sql);
  return readSchema(database);
}

using Row = std::vector<std::string>;
using Rows = std::vector<Row>;

inline std::string shown(const ValueView& value) {
  switch (value.kind) {
    case ValueKind::Integer:
      return std::to_string(value.integer);
    case ValueKind::Real:
      return std::to_string(value.real);
    default:
      return std::string(value.bytes);
  }
}

inline Rows rowsOf(Database& database, std::string_view sql) {
  Statement statement = database.prepare(sql, Rules::Host);
  Execution execution(statement, {});
  Rows rows;
  while (execution.step()) {
    Row row;
    for (int column = 0; column < statement.columnCount(); ++column) {
      row.push_back(shown(execution.column(column)));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace schemascript
