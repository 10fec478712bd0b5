#include "migrate/history.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "migrate/definition.h"
#include "migrate/rows.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::string_view kTable =
    "create table if not exists __schemascript_migrations ("
    " number integer primary key autoincrement,"
    " id text not null unique,"
    " hash text not null,"
    " down text not null,"
    " applied_at integer not null,"  // Milliseconds since 1970.
    " took integer not null,"        // Milliseconds.
    " is_kept integer not null"
    ") strict";

bool hasTable(Database& database) {
  return tryFindKind(database, "__schemascript_migrations").has_value();
}

void run(Database& database, std::string_view sql, std::span<const ValueView> values) {
  database.prepare(sql, Rules::Host).run(values);
}

std::vector<std::string> keptTablesOf(Database& database, std::string_view id) {
  const std::string prefix = lowerCase(str(kKeptTablePrefix, id, '_'));
  std::vector<std::string> tables;
  forEachRow(database, "select name from sqlite_schema where type = 'table' and name >= ?1", "",
             [&](const Execution& row) {
               if (lowerCase(textOf(row, 0)).starts_with(prefix)) tables.push_back(textOf(row, 0));
             });
  return tables;
}

}  // namespace

std::vector<AppliedMigration> readHistory(Database& database) {
  std::vector<AppliedMigration> history;
  if (!hasTable(database)) return history;
  Statement statement = database.prepare(
      "select id, hash, down, applied_at, took, is_kept from __schemascript_migrations"
      " order by number",
      Rules::Host);
  Execution row(statement);
  while (row.step()) {
    history.push_back({.id = textOf(row, 0),
                       .hash = textOf(row, 1),
                       .down = textOf(row, 2),
                       .appliedAt = system_clock::time_point(milliseconds(row.column(3).integer)),
                       .took = milliseconds(row.column(4).integer),
                       .isKept = row.column(5).integer != 0});
  }
  return history;
}

void recordApplied(Database& database, const AppliedMigration& applied) {
  database.execute(kTable, Rules::Host);
  const auto at = duration_cast<milliseconds>(applied.appliedAt.time_since_epoch());
  const std::array values{ValueView::ofText(applied.id),
                          ValueView::ofText(applied.hash),
                          ValueView::ofText(applied.down),
                          ValueView::ofInteger(at.count()),
                          ValueView::ofInteger(applied.took.count()),
                          ValueView::ofInteger(applied.isKept ? 1 : 0)};
  run(database,
      "insert into __schemascript_migrations (id, hash, down, applied_at, took, is_kept)"
      " values (?, ?, ?, ?, ?, ?)",
      values);
}

void recordRolledBack(Database& database, std::string_view id) {
  const std::array values{ValueView::ofText(id)};
  run(database, "delete from __schemascript_migrations where id = ?", values);
}

std::vector<std::string> forgetKept(Database& database, system_clock::time_point before) {
  std::vector<std::string> forgotten;
  const auto isOld = [before](const AppliedMigration& each) {
    return each.isKept && each.appliedAt < before;
  };
  if (std::ranges::none_of(readHistory(database), isOld)) return forgotten;
  try {
    database.execute("begin immediate", Rules::Host);
    for (const AppliedMigration& each : readHistory(database)) {
      if (!isOld(each)) continue;
      for (const std::string& table : keptTablesOf(database, each.id)) {
        database.execute(str("delete from ", quotedName(table)), Rules::Host);
      }
      const std::array values{ValueView::ofText(each.id)};
      run(database, "update __schemascript_migrations set is_kept = 0 where id = ?", values);
      forgotten.push_back(each.id);
    }
    database.execute("commit", Rules::Host);
  } catch (...) {
    database.rollbackOrAbandon();
    throw;
  }
  return forgotten;
}

}  // namespace schemascript
