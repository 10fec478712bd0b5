// The tables of a database in the words of the schema language, before they are written down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "database/database.h"
#include "migrate/schema.h"

namespace schemascript {

// A type of the language: `prop.integer()` and so on.
enum class PropertyKind : std::uint8_t {
  Integer,
  BigInteger,
  Real,
  Text,
  Blob,
  Boolean,
  Datetime,
  Node,
  NodeList,
  Enum,
  Any,
};

struct PulledCheck {
  std::string name;  // Empty without one.
  std::string expression;
};

struct PulledColumn {
  std::string name;
  std::string key;  // In TypeScript.
  PropertyKind kind = PropertyKind::Any;
  std::vector<std::string> options{};     // Of an enum.
  std::optional<std::string> declared{};  // Where it is not what `kind` says.
  std::string collation{};
  bool isRequired = false;
  bool isIdentifier = false;  // Alone, and by itself.
  bool hasNoNotNull = false;
  bool isUnique = false;  // By an index called as the language calls it.
  bool isUniqueConstraint = false;
  bool isIndexed = false;  // The same.
  std::string initial{};   // The default as TypeScript; empty without one.
  std::string generated{};
  bool isStored = false;
  std::vector<std::string> bounds{};  // `.min(1)`
  std::vector<std::string> checks{};
};

struct PulledKey {
  std::string name;
  std::vector<std::size_t> columns;
  std::size_t table;  // Among all.
  std::vector<std::size_t> targets;
  std::string onDelete;
  std::string onUpdate;
  bool isDeferred = false;
};

struct PulledIndex {
  std::string name;
  struct Part {
    std::optional<std::size_t> column;
    std::string expression;
  };
  std::vector<Part> parts;
  std::string where;
  bool isUnique = false;
};

struct PulledTable {
  std::string name;
  std::string variable;  // In TypeScript.
  std::vector<PulledColumn> columns;
  bool isStrict = false;
  bool isWithoutRowid = false;
  bool isAutoincrement = false;
  std::vector<std::size_t>
      identifier{};  // Of several columns, or of one that SQLite does not number.
  std::vector<std::vector<std::size_t>> uniques{};  // Constraints of several columns.
  std::vector<PulledIndex> indexes{};
  std::vector<PulledCheck> checks{};
  std::vector<PulledKey> foreignKeys{};
  std::vector<std::size_t> search{};  // Columns that the table's FTS5 table reads.
  // Its CREATE TABLE, where the language cannot say it otherwise, and what of it.
  std::string statement{};
  std::string oddity{};
};

struct PulledView {
  std::string name;
  std::string variable;
  std::vector<PulledColumn> columns;
  std::string query;  // Behind AS.
  bool hasColumnList = false;
};

struct Pulled {
  std::vector<PulledTable> tables;
  std::vector<PulledView> views;
  std::vector<std::string> statements;
};

// What `schema`, which is the database's or a part of it, is in the language. Reads up to 1,000
// rows of a table for what its columns really hold, where their types do not tell.
Pulled readPulled(Database& database, const Schema& schema);

}  // namespace schemascript
