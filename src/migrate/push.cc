// Compares the desired schema with the database's, and creates what is missing. All in one
// transaction: a difference undoes what was done before it was found.
#include "migrate/push.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "migrate/definition.h"
#include "migrate/desired.h"
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
  std::vector<std::string> added;  // Columns, which are there already.
  // FTS5 tables that must read their texts: they are new, or what keeps them in step is.
  std::vector<std::string> unfilled;
  std::vector<std::string> unchanged;
  std::vector<std::string> differences;
};

const ColumnShape* tryFindColumn(const TableShape& table, std::string_view name) {
  for (const ColumnShape& column : table.columns) {
    if (isSameName(column.name, name)) return &column;
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

// Lets SQLite add the columns that are missing, just as they are wanted, and answers their names.
// Where it cannot (one that must not be NULL has no default, say), or that is not all the
// difference, what it has done is for whoever ends the transaction: the differences are not empty.
std::vector<std::string> addColumns(Database& database, const TableShape& wanted,
                                    const TableShape& present) {
  std::vector<std::string> added;
  const std::vector<std::string> parts = partsOfTable(wanted.sql);
  for (std::size_t index = 0; index < wanted.columns.size() && index < parts.size(); ++index) {
    const ColumnShape& column = wanted.columns[index];
    if (tryFindColumn(present, column.name) != nullptr) continue;
    try {
      database.execute(str("alter table ", quotedName(present.name), " add column ", parts[index]),
                       Rules::Host);
      added.push_back(column.name);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::LimitExceeded) throw;
    }
  }
  return added;
}

void planTable(Database& database, const TableShape& wanted, const TableShape& present,
               Plan& plan) {
  std::vector<std::string> differences;
  compareTables(wanted, present, differences);
  if (differences.empty()) {
    plan.unchanged.push_back(str("table ", wanted.name));
    return;
  }
  const std::vector<std::string> added = addColumns(database, wanted, present);
  std::vector<std::string> left;
  if (const auto now = tryReadTable(database, wanted.name)) compareTables(wanted, *now, left);
  if (!left.empty()) {
    std::ranges::move(differences, std::back_inserter(plan.differences));
    return;
  }
  for (const std::string& name : added) {
    plan.added.push_back(str("column ", wanted.name, ".", name));
  }
}

void planTables(Database& database, const std::vector<TableShape>& wanted, Plan& plan) {
  for (const TableShape& table : wanted) {
    const auto kind = tryFindKind(database, table.name);
    if (!kind) {
      plan.missing.push_back({.what = str("table ", table.name), .sql = table.sql});
      continue;
    }
    const auto present = *kind == "table" ? tryReadTable(database, table.name) : std::nullopt;
    if (!present) {
      plan.differences.push_back(str(table.name, ": a table here, ", *kind, " in the database"));
      continue;
    }
    planTable(database, table, *present, plan);
  }
}

const IndexShape* tryFindIndex(const std::vector<IndexShape>& indexes, std::string_view name) {
  for (const IndexShape& index : indexes) {
    if (isSameName(index.name, name)) return &index;
  }
  return nullptr;
}

bool knowsTable(const std::vector<TableShape>& tables, std::string_view name) {
  return std::any_of(tables.begin(), tables.end(),
                     [name](const TableShape& table) { return isSameName(table.name, name); });
}

void planIndexes(Database& database, const std::vector<TableShape>& tables,
                 const std::vector<IndexShape>& wanted, Plan& plan) {
  const std::vector<IndexShape> present = readIndexes(database);
  for (const IndexShape& index : wanted) {
    const IndexShape* other = tryFindIndex(present, index.name);
    if (other == nullptr) {
      if (const auto kind = tryFindKind(database, index.name)) {
        plan.differences.push_back(str(index.name, ": an index here, ", *kind, " in the database"));
        continue;
      }
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

const Definition* tryFindDefinition(const std::vector<Definition>& definitions,
                                    std::string_view name) {
  for (const Definition& definition : definitions) {
    if (isSameName(definition.name, name)) return &definition;
  }
  return nullptr;
}

// Answers those that are missing.
std::vector<const Definition*> planDefinitions(Database& database, DefinitionKind kind,
                                               const std::vector<Definition>& wanted, Plan& plan) {
  const std::vector<Definition> present = readDefinitions(database, kind);
  std::vector<const Definition*> missing;
  for (const Definition& definition : wanted) {
    std::string what = str(nameOf(kind), " ", definition.name);
    const Definition* other = tryFindDefinition(present, definition.name);
    if (other != nullptr && other->text == definition.text) {
      plan.unchanged.push_back(std::move(what));
      continue;
    }
    if (other != nullptr) {
      plan.differences.push_back(str(what, ": differs"));
      continue;
    }
    const bool isTrigger = kind == DefinitionKind::Trigger;
    if (const auto taken = isTrigger ? std::nullopt : tryFindKind(database, definition.name)) {
      plan.differences.push_back(
          str(definition.name, ": a ", nameOf(kind), " here, ", *taken, " in the database"));
      continue;
    }
    missing.push_back(&definition);
    plan.missing.push_back({.what = std::move(what), .sql = definition.sql});
  }
  return missing;
}

void planSearch(Database& database, const Schema& desired, Plan& plan) {
  const auto created =
      planDefinitions(database, DefinitionKind::VirtualTable, desired.virtualTables, plan);
  for (const Definition* search : created) {
    if (const auto part = tryFindPartName(database, search->name)) {
      plan.differences.push_back(str("virtual table ", search->name, ": ", *part,
                                     " of the database has the name of a part of it"));
    }
  }
  planDefinitions(database, DefinitionKind::View, desired.views, plan);
  const auto triggers = planDefinitions(database, DefinitionKind::Trigger, desired.triggers, plan);
  for (const Definition& search : desired.virtualTables) {
    const auto isStale = [&search](const Definition* each) {
      return each == &search || each->table == search.table;
    };
    if (!search.table.empty() && (std::any_of(created.begin(), created.end(), isStale) ||
                                  std::any_of(triggers.begin(), triggers.end(), isStale))) {
      plan.unfilled.push_back(search.name);
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

PushResult apply(Database& database, const Schema& desired) {
  Plan plan;
  planTables(database, desired.tables, plan);
  planIndexes(database, desired.tables, desired.indexes, plan);
  planSearch(database, desired, plan);
  if (!plan.differences.empty()) {
    std::string message = "the database differs from the schema; nothing was changed";
    for (const std::string& difference : plan.differences) message += str("\n  ", difference);
    throw conflict(std::move(message));
  }
  PushResult result{.created = std::move(plan.added), .unchanged = std::move(plan.unchanged)};
  for (Creation& creation : plan.missing) {
    create(database, creation);
    result.created.push_back(std::move(creation.what));
  }
  for (const std::string& name : plan.unfilled) fillSearch(database, name);
  return result;
}

}  // namespace

PushResult push(Database& database, std::string_view desiredSql) {
  const Schema desired = readDesired(desiredSql, database);
  try {
    // Immediate: another push waits here and then finds what this one has made.
    database.execute("begin immediate", Rules::Host);
    PushResult result = apply(database, desired);
    database.execute("commit", Rules::Host);
    return result;
  } catch (...) {
    database.rollbackOrAbandon();
    throw;
  }
}

}  // namespace schemascript
