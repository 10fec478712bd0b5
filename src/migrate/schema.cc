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

}  // namespace schemascript
