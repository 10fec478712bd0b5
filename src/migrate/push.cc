// Lets SQLite read the desired schema into an empty database, compares, creates what is missing.
#include "migrate/push.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "migrate/table-shape.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

struct Creation {
  std::string what;  // `table users`
  std::string sql;
};

// What there is to do, and why it may not be done.
struct Plan {
  std::vector<Creation> missing;
  std::vector<std::string> unchanged;
  std::vector<std::string> differences;
};

void readDesired(Database& desired, std::string_view sql, const Database& interruptible) {
  std::size_t at = 0;
  while (auto statement = desired.tryPrepareNext(sql, at, Rules::SchemaDefinition)) {
    interruptible.throwIfInterrupted();
    statement->run();
  }
}

// What kind of thing has this name, or nothing.
std::optional<std::string> tryFindKind(Database& database, std::string_view name) {
  Statement statement = database.prepare(
      "select type from sqlite_schema where name = ?1 collate nocase", Rules::Host);
  const ValueView parameter = ValueView::ofText(name);
  Execution execution(statement, {&parameter, 1});
  if (!execution.step()) return std::nullopt;
  return std::string(execution.column(0).bytes);
}

const ColumnShape* tryFindColumn(const TableShape& table, std::string_view name) {
  for (const ColumnShape& column : table.columns) {
    if (lowerCase(column.name) == lowerCase(name)) return &column;
  }
  return nullptr;
}

std::string orNothing(const std::string& text) { return text.empty() ? "no type" : text; }

void compareLists(const std::string& table, const std::vector<std::string>& wanted,
                  const std::vector<std::string>& present, std::vector<std::string>& differences) {
  std::vector<std::string> missing;
  std::vector<std::string> extra;
  std::set_difference(wanted.begin(), wanted.end(), present.begin(), present.end(),
                      std::back_inserter(missing));
  std::set_difference(present.begin(), present.end(), wanted.begin(), wanted.end(),
                      std::back_inserter(extra));
  for (const std::string& each : missing) {
    differences.push_back(str(table, ": ", each, " missing in the database"));
  }
  for (const std::string& each : extra) {
    differences.push_back(str(table, ": ", each, " in the database only"));
  }
}

void compareTables(const TableShape& wanted, const TableShape& present,
                   std::vector<std::string>& differences) {
  for (const ColumnShape& column : wanted.columns) {
    const ColumnShape* other = tryFindColumn(present, column.name);
    if (other == nullptr) {
      differences.push_back(str(wanted.name, ".", column.name, ": missing in the database"));
    } else if (other->description != column.description) {
      differences.push_back(str(wanted.name, ".", column.name, ": ", orNothing(column.description),
                                " here, ", orNothing(other->description), " in the database"));
    }
  }
  for (const ColumnShape& column : present.columns) {
    if (tryFindColumn(wanted, column.name) == nullptr) {
      differences.push_back(str(wanted.name, ".", column.name, ": in the database only"));
    }
  }
  compareLists(wanted.name, wanted.options, present.options, differences);
  compareLists(wanted.name, wanted.constraints, present.constraints, differences);
}

void planTables(Database& database, const std::vector<TableShape>& wanted, Plan& plan) {
  for (const TableShape& table : wanted) {
    const auto kind = tryFindKind(database, table.name);
    if (!kind) {
      plan.missing.push_back({.what = str("table ", table.name), .sql = table.sql});
      continue;
    }
    const auto present = tryReadTable(database, table.name);
    if (!present) {
      plan.differences.push_back(str(table.name, ": a table here, ", *kind, " in the database"));
      continue;
    }
    compareTables(table, *present, plan.differences);
    plan.unchanged.push_back(str("table ", table.name));
  }
}

const IndexShape* tryFindIndex(const std::vector<IndexShape>& indexes, std::string_view name) {
  for (const IndexShape& index : indexes) {
    if (lowerCase(index.name) == lowerCase(name)) return &index;
  }
  return nullptr;
}

bool knowsTable(const std::vector<TableShape>& tables, std::string_view name) {
  return std::any_of(tables.begin(), tables.end(), [name](const TableShape& table) {
    return lowerCase(table.name) == lowerCase(name);
  });
}

void planIndexes(Database& database, const std::vector<TableShape>& tables,
                 const std::vector<IndexShape>& wanted, Plan& plan) {
  const std::vector<IndexShape> present = readIndexes(database);
  for (const IndexShape& index : wanted) {
    const IndexShape* other = tryFindIndex(present, index.name);
    if (other == nullptr) {
      plan.missing.push_back({.what = str("index ", index.name), .sql = index.sql});
    } else if (other->unique != index.unique || other->definition != index.definition) {
      plan.differences.push_back(str(index.table, ": index ", index.name, " differs"));
    } else {
      plan.unchanged.push_back(str("index ", index.name));
    }
  }
  // One that is not unique changes no answer, so it may stay.
  for (const IndexShape& index : present) {
    if (index.unique && knowsTable(tables, index.table) && !tryFindIndex(wanted, index.name)) {
      plan.differences.push_back(
          str(index.table, ": unique index ", index.name, " in the database only"));
    }
  }
}

void create(Database& database, const Creation& creation) {
  try {
    database.execute(creation.sql, Rules::SchemaDefinition);
  } catch (const Error& error) {
    const DatabaseErrorDetail* detail = error.detail();
    if (detail == nullptr || detail->violation != "unique") throw;
    throw Error(
        ErrorCode::Conflict,
        str(creation.what, " cannot be created, because rows in the database are not unique: ",
            error.message(), "; nothing was changed"),
        *detail);
  }
}

PushResult apply(Database& database, const std::vector<TableShape>& tables,
                 const std::vector<IndexShape>& indexes) {
  Plan plan;
  planTables(database, tables, plan);
  planIndexes(database, tables, indexes, plan);
  if (!plan.differences.empty()) {
    std::string message = "the database differs from the schema; nothing was changed";
    for (const std::string& difference : plan.differences) message += str("\n  ", difference);
    throw conflict(std::move(message));
  }
  PushResult result{.created = {}, .unchanged = std::move(plan.unchanged)};
  for (Creation& creation : plan.missing) {
    create(database, creation);
    result.created.push_back(std::move(creation.what));
  }
  return result;
}

}  // namespace

PushResult push(Database& database, std::string_view desiredSql) {
  Database desired({.file = {}, .limits = database.limits()});
  readDesired(desired, desiredSql, database);
  // Immediate: another push waits here and then finds what this one has made.
  database.execute("begin immediate", Rules::Host);
  try {
    PushResult result = apply(database, readTables(desired), readIndexes(desired));
    database.execute("commit", Rules::Host);
    return result;
  } catch (...) {
    database.rollbackOrAbandon();
    throw;
  }
}

}  // namespace schemascript
