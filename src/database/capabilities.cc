// Parsing what a session may touch, and looking it up.
#include "database/capabilities.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"

namespace schemascript {
namespace {

constexpr std::size_t kEntriesMax = 10'000;

bool isBare(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '_' || byte == '$' || byte >= 0x80;
}

// Takes one name from the front of `rest`; nothing if there is none.
std::optional<std::string> tryTakeName(std::string_view& rest) {
  std::string name;
  if (!rest.starts_with('"')) {
    const auto end = std::find_if_not(rest.begin(), rest.end(), isBare);
    name.assign(rest.begin(), end);
    rest.remove_prefix(name.size());
  } else {
    for (rest.remove_prefix(1);; rest.remove_prefix(1)) {
      if (rest.empty() || rest.front() == '\0') return std::nullopt;
      if (rest.front() == '"') {
        rest.remove_prefix(1);
        if (!rest.starts_with('"')) break;  // Two of them are one of the name.
      }
      name += rest.front();
    }
  }
  if (name.empty()) return std::nullopt;
  return name;
}

}  // namespace

std::string foldCase(std::string_view name) {
  std::string lower(name);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

bool isSchemaTable(std::string_view table) {
  // Asked for every access, and hardly ever true.
  if (table.size() < 13 || (table[6] != '_')) return false;
  const std::string lower = foldCase(table);
  return lower == "sqlite_master" || lower == "sqlite_schema" || lower == "sqlite_temp_master" ||
         lower == "sqlite_temp_schema";
}

// One entry of a list.
struct Capabilities::Entry {
  std::string table;
  std::string column;  // Empty: the whole table.

  static std::optional<Entry> tryParse(std::string_view text) {
    auto table = tryTakeName(text);
    if (!table) return std::nullopt;
    if (isSchemaTable(*table)) table = "sqlite_master";
    Entry entry{.table = foldCase(*table), .column = {}};
    if (text.empty()) return entry;
    if (text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
    const auto column = tryTakeName(text);
    if (!column || !text.empty()) return std::nullopt;
    entry.column = foldCase(*column);
    return entry;
  }
};

Capabilities::Grants Capabilities::grantsOf(std::span<const std::string> entries,
                                            std::string_view list) {
  if (entries.size() > kEntriesMax) {
    throw invalidRequest(str("the capabilities have ", entries.size(), " ", list, "; ", kEntriesMax,
                             " is the most"));
  }
  Grants grants;
  for (const std::string& text : entries) {
    if (text == "*") {
      grants.everything = true;
      continue;
    }
    const auto entry = Entry::tryParse(text);
    if (!entry) {
      throw invalidRequest(
          str("the entry ", text.empty() ? "\"\"" : text, " in the capabilities' ", list,
              " is neither table, table.column nor *; a name with other characters "
              "than letters, digits, _ and $ stands in double quotes"));
    }
    Grant& grant = grants.tables[entry->table];
    if (entry->column.empty()) {
      grant.wholeTable = true;
    } else {
      grant.columns.insert(entry->column);
    }
  }
  return grants;
}

// Sorted, and each name with its length before it, so that no two lists have one key.
std::string Capabilities::keyOf(const Grants& grants) {
  if (grants.everything) return "*";
  const auto written = [](std::string_view name) { return str(name.size(), ":", name); };
  std::vector<std::string> parts;
  for (const auto& [table, grant] : grants.tables) {
    std::string part = written(table);
    if (!grant.wholeTable) {
      for (const std::string& column : grant.columns) part += str(".", written(column));
    }
    parts.push_back(std::move(part));
  }
  std::sort(parts.begin(), parts.end());
  std::string key;
  for (const std::string& part : parts) key += str(part, ";");
  return key;
}

std::shared_ptr<const Capabilities> Capabilities::parse(std::span<const std::string> reads,
                                                        std::span<const std::string> writes) {
  std::shared_ptr<Capabilities> made(new Capabilities());
  made->reads_ = grantsOf(reads, "reads");
  made->writes_ = grantsOf(writes, "writes");
  made->key_ = str(keyOf(made->reads_), "|", keyOf(made->writes_));
  made->hash_ = std::hash<std::string>()(made->key_);
  return made;
}

const Capabilities::Grant* Capabilities::tryFind(const Grants& grants, std::string_view table) {
  const auto found =
      grants.tables.find(isSchemaTable(table) ? std::string("sqlite_master") : foldCase(table));
  return found == grants.tables.end() ? nullptr : &found->second;
}

bool Capabilities::covers(const Grants& grants, std::string_view table, std::string_view column) {
  if (grants.everything) return true;
  const Grant* grant = tryFind(grants, table);
  return grant != nullptr && (grant->wholeTable || grant->columns.contains(foldCase(column)));
}

bool Capabilities::readsColumn(std::string_view table, std::string_view column) const {
  return covers(reads_, table, column);
}

bool Capabilities::readsSomeOf(std::string_view table) const {
  return reads_.everything || tryFind(reads_, table) != nullptr;
}

bool Capabilities::writesTable(std::string_view table) const {
  if (writes_.everything) return true;
  const Grant* grant = tryFind(writes_, table);
  return grant != nullptr && grant->wholeTable;
}

bool Capabilities::writesColumn(std::string_view table, std::string_view column) const {
  return covers(writes_, table, column);
}

}  // namespace schemascript
