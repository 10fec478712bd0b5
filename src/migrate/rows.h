// How this layer asks SQLite about a schema: the host's own queries, row by row.
#pragma once

#include <string>
#include <string_view>

#include "database/database.h"

namespace schemascript {

// Runs a query with one text parameter and hands each row to `use`.
template <typename Use>
void forEachRow(Database& database, std::string_view sql, std::string_view parameter, Use&& use) {
  Statement statement = database.prepare(sql, Rules::Host);
  const ValueView value = ValueView::ofText(parameter);
  Execution execution(statement, {&value, 1});
  while (execution.step()) use(execution);
}

inline std::string textOf(const Execution& row, int column) {
  return std::string(row.column(column).bytes);
}

}  // namespace schemascript
