// What the text of a CREATE TABLE says that SQLite's introspection does not tell, as it is written.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace schemascript {

struct WrittenCheck {
  std::string name;    // Of the constraint; empty without one.
  std::string column;  // Behind which it stands, in lower case; empty behind all columns.
  std::string expression;
};

struct WrittenKey {
  std::string name;
  bool isDeferred = false;
};

struct WrittenColumn {
  std::string collation;
  std::string generated;  // What it is computed from.
};

struct CreateTable {
  std::map<std::string, WrittenColumn> columns;  // By name, in lower case.
  std::vector<WrittenCheck> checks;
  std::vector<WrittenKey> foreignKeys;
  bool isStrict = false;
  bool isWithoutRowid = false;
  bool isAutoincrement = false;
  // What is there beside: `ON CONFLICT`, `DESC`. Empty as a rule.
  std::string oddity;
};

// `sql` is a CREATE TABLE that SQLite has accepted.
CreateTable readTableText(std::string_view sql);

}  // namespace schemascript
