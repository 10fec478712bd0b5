// Virtual tables, views and triggers: SQLite's introspection tells nothing of what they do, so they
// are compared by their text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "database/database.h"

namespace schemascript {

enum class DefinitionKind : std::uint8_t { VirtualTable, View, Trigger };

// `virtual table` and so on.
std::string_view nameOf(DefinitionKind kind) noexcept;

struct Definition {
  std::string name;  // As it is written.
  // Of a trigger, the table that it is on; of an FTS5 table, the one whose texts it searches, or
  // empty. In lower case.
  std::string table;
  std::string sql;   // As it was created.
  std::string text;  // What stands behind the name, normalised.
};

// In the order of their creation.
std::vector<Definition> readDefinitions(Database& database, DefinitionKind kind);

// The kind of what has this name: `table`, `view`, `index`, `virtual table` or `part of a virtual
// table`; nothing when it is free. Triggers have names of their own.
std::optional<std::string> tryFindKind(Database& database, std::string_view name);

// Whether this is the name of a table that an FTS5 table has made for itself.
bool isPartOfSearch(Database& database, std::string_view name);

// What has a name that the FTS5 table `name` needs for a part, or could take for one: `notes_data`.
std::optional<std::string> tryFindPartName(Database& database, std::string_view name);

}  // namespace schemascript
