#include "migrate/schema.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

// As texts that are equal when the things are alike.
std::vector<std::string> linesOf(const TableShape& table) {
  std::vector<std::string> lines;
  for (const ColumnShape& column : table.columns) {
    lines.push_back(str("column ", lowerCase(column.name), ' ', column.description));
  }
  lines.insert(lines.end(), table.options.begin(), table.options.end());
  lines.insert(lines.end(), table.constraints.begin(), table.constraints.end());
  std::ranges::sort(lines);
  return lines;
}

struct Named {
  std::string what;  // `table users`
  std::vector<std::string> lines;

  bool operator==(const Named&) const = default;
  auto operator<=>(const Named&) const = default;
};

std::vector<Named> namedOf(const Schema& schema) {
  std::vector<Named> all;
  for (const TableShape& table : schema.tables) {
    all.push_back({str("table ", lowerCase(table.name)), linesOf(table)});
  }
  for (const IndexShape& index : schema.indexes) {
    all.push_back(
        {str("index ", lowerCase(index.name)),
         {str(index.unique ? "unique " : "", "on ", index.table, ' ', index.definition)}});
  }
  const auto add = [&all](DefinitionKind kind, const std::vector<Definition>& definitions) {
    for (const Definition& each : definitions) {
      all.push_back({str(nameOf(kind), ' ', lowerCase(each.name)), {each.text}});
    }
  };
  add(DefinitionKind::VirtualTable, schema.virtualTables);
  add(DefinitionKind::View, schema.views);
  add(DefinitionKind::Trigger, schema.triggers);
  std::ranges::sort(all);
  return all;
}

void compareLines(const Named& wanted, const Named& present,
                  std::vector<std::string>& differences) {
  std::vector<std::string> missing;
  std::vector<std::string> extra;
  std::ranges::set_difference(wanted.lines, present.lines, std::back_inserter(missing));
  std::ranges::set_difference(present.lines, wanted.lines, std::back_inserter(extra));
  for (const std::string& line : missing) differences.push_back(str(wanted.what, ": + ", line));
  for (const std::string& line : extra) differences.push_back(str(wanted.what, ": - ", line));
}

// A row that does not name it gets a value all the same.
bool fillsItself(const ColumnShape& column) {
  const auto has = [&column](std::string_view words) {
    return column.description.find(words) != std::string::npos;
  };
  return !has(" NOT NULL") || has(" DEFAULT ") || has("AS (");
}

template <typename Shape>
const Shape* tryFind(const std::vector<Shape>& shapes, std::string_view name) {
  const auto found = std::ranges::find_if(
      shapes, [name](const Shape& shape) { return isSameName(shape.name, name); });
  return found == shapes.end() ? nullptr : &*found;
}

void lacksOfTable(const TableShape& wanted, const TableShape& present,
                  std::vector<std::string>& lacks) {
  const std::string what = str("table ", wanted.name, ": ");
  for (const ColumnShape& column : wanted.columns) {
    const ColumnShape* const other = tryFind(present.columns, column.name);
    if (other == nullptr) {
      lacks.push_back(str(what, "column ", column.name, " is missing"));
    } else if (other->description != column.description) {
      const auto shown = [](const ColumnShape& each) {
        return each.description.empty() ? "of no type" : each.description;
      };
      lacks.push_back(str(what, "column ", column.name, " is ", shown(*other),
                          " in the database, and ", shown(column), " in the app"));
    }
  }
  for (const ColumnShape& column : present.columns) {
    if (tryFind(wanted.columns, column.name) == nullptr && !fillsItself(column)) {
      lacks.push_back(str(what, "column ", column.name, " is ", column.description,
                          " in the database, and the app does not know it"));
    }
  }
  const auto compare = [&](std::vector<std::string> one, std::vector<std::string> other) {
    std::ranges::sort(one);
    std::ranges::sort(other);
    std::vector<std::string> missing;
    std::vector<std::string> extra;
    std::ranges::set_difference(one, other, std::back_inserter(missing));
    std::ranges::set_difference(other, one, std::back_inserter(extra));
    for (const std::string& each : missing) lacks.push_back(str(what, each, " is missing"));
    for (const std::string& each : extra) {
      lacks.push_back(str(what, each, " is in the database only"));
    }
  };
  compare(wanted.options, present.options);
  compare(wanted.constraints, present.constraints);
}

void lacksOfIndexes(const Schema& wanted, const Schema& present, std::vector<std::string>& lacks) {
  for (const IndexShape& index : wanted.indexes) {
    const IndexShape* const other = tryFind(present.indexes, index.name);
    if (other == nullptr) {
      lacks.push_back(str("index ", index.name, " is missing"));
    } else if (other->table != index.table || other->unique != index.unique ||
               other->definition != index.definition) {
      lacks.push_back(str("index ", index.name, " is another one in the database"));
    }
  }
  for (const IndexShape& index : present.indexes) {
    if (index.unique && tryFind(wanted.tables, index.table) != nullptr &&
        tryFind(wanted.indexes, index.name) == nullptr) {
      lacks.push_back(
          str("table ", index.table, ": unique index ", index.name, " is in the database only"));
    }
  }
}

void lacksOfDefinitions(DefinitionKind kind, const std::vector<Definition>& wanted,
                        const std::vector<Definition>& present, std::vector<std::string>& lacks) {
  for (const Definition& each : wanted) {
    const Definition* const other = tryFind(present, each.name);
    if (other != nullptr && other->text == each.text) continue;
    lacks.push_back(str(nameOf(kind), ' ', each.name,
                        other == nullptr ? " is missing" : " is another one in the database"));
  }
}

}  // namespace

Schema readSchema(Database& database) {
  return {.tables = readTables(database),
          .indexes = readIndexes(database),
          .virtualTables = readDefinitions(database, DefinitionKind::VirtualTable),
          .views = readDefinitions(database, DefinitionKind::View),
          .triggers = readDefinitions(database, DefinitionKind::Trigger)};
}

std::vector<std::string> differencesBetween(const Schema& wanted, const Schema& present) {
  const std::vector<Named> one = namedOf(wanted);
  const std::vector<Named> other = namedOf(present);
  std::vector<std::string> differences;
  auto left = one.begin();
  auto right = other.begin();
  while (left != one.end() || right != other.end()) {
    if (right == other.end() || (left != one.end() && left->what < right->what)) {
      differences.push_back(str(left++->what, ": missing"));
    } else if (left == one.end() || right->what < left->what) {
      differences.push_back(str(right++->what, ": not wanted"));
    } else {
      compareLines(*left++, *right++, differences);
    }
  }
  return differences;
}

std::vector<std::string> lacksOf(const Schema& wanted, const Schema& present) {
  std::vector<std::string> lacks;
  for (const TableShape& table : wanted.tables) {
    if (const TableShape* const other = tryFind(present.tables, table.name)) {
      lacksOfTable(table, *other, lacks);
    } else {
      lacks.push_back(str("table ", table.name, " is missing"));
    }
  }
  lacksOfIndexes(wanted, present, lacks);
  lacksOfDefinitions(DefinitionKind::VirtualTable, wanted.virtualTables, present.virtualTables,
                     lacks);
  lacksOfDefinitions(DefinitionKind::View, wanted.views, present.views, lacks);
  lacksOfDefinitions(DefinitionKind::Trigger, wanted.triggers, present.triggers, lacks);
  return lacks;
}

}  // namespace schemascript
