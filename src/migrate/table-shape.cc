// Reads tables through SQLite's introspection, and through their text where that is silent.
#include "migrate/table-shape.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "migrate/definition.h"
#include "migrate/rows.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

using std::string_view_literals::operator""sv;
using Tokens = std::span<const Token>;

// What only the text of a column tells. By the column's name in lower case.
struct ColumnText {
  std::string collation;
  std::string generated;
  bool autoincrement = false;
};

struct TableText {
  bool isStrict = false;
  bool isWithoutRowid = false;
  std::map<std::string, ColumnText> columns;
  std::vector<std::string> checks;
  std::size_t deferredKeys = 0;
  bool autoincrement = false;  // In a PRIMARY KEY behind the columns.
};

// The number of tokens of the parenthesis that `tokens` begin with.
std::size_t parenthesisLength(Tokens tokens) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].isSymbol('(')) ++depth;
    if (tokens[i].isSymbol(')') && --depth == 0) return i + 1;
  }
  return tokens.size();
}

std::string inside(Tokens parenthesis) {
  SS_CHECK(parenthesis.size() >= 2);
  return joinTokens(parenthesis.subspan(1, parenthesis.size() - 2));
}

// The parts of the list that `tokens` begin with, `(part, part)`.
std::vector<Tokens> partsOf(Tokens tokens) {
  std::vector<Tokens> parts;
  const Tokens list = tokens.subspan(1, parenthesisLength(tokens) - 2);
  std::size_t start = 0;
  std::size_t at = 0;
  while (at < list.size()) {
    if (list[at].isSymbol('(')) {
      at += parenthesisLength(list.subspan(at));
    } else if (list[at].isSymbol(',')) {
      parts.push_back(list.subspan(start, at - start));
      start = ++at;
    } else {
      ++at;
    }
  }
  parts.push_back(list.subspan(start));
  return parts;
}

bool isTableConstraint(const Token& first) {
  return first.isWord("constraint") || first.isWord("primary") || first.isWord("unique") ||
         first.isWord("check") || first.isWord("foreign");
}

void readPart(Tokens part, TableText& table) {
  if (part.empty()) return;
  ColumnText column;
  std::size_t at = isTableConstraint(part.front()) ? 0 : 1;
  while (at < part.size()) {
    const Tokens rest = part.subspan(at);
    const bool opensNext = rest.size() > 1 && rest[1].isSymbol('(');
    if (rest[0].isWord("check") && opensNext) {
      const Tokens expression = rest.subspan(1, parenthesisLength(rest.subspan(1)));
      table.checks.push_back(inside(expression));
      at += 1 + expression.size();
    } else if (rest[0].isWord("as") && opensNext) {
      const Tokens expression = rest.subspan(1, parenthesisLength(rest.subspan(1)));
      column.generated = inside(expression);
      at += 1 + expression.size();
    } else if (rest[0].isSymbol('(')) {
      const Tokens list = rest.subspan(0, parenthesisLength(rest));
      const bool isKey = at > 0 && part[at - 1].isWord("key");
      table.autoincrement |= isKey && std::ranges::any_of(list, [](const Token& token) {
                               return token.isWord("autoincrement");
                             });
      at += list.size();
    } else {
      if (rest[0].isWord("collate") && rest.size() > 1) column.collation = upperCase(rest[1].text);
      if (rest[0].isWord("autoincrement")) column.autoincrement = true;
      if (rest[0].isWord("initially") && rest.size() > 1 && rest[1].isWord("deferred")) {
        ++table.deferredKeys;
      }
      ++at;
    }
  }
  if (!isTableConstraint(part.front())) table.columns[part.front().name()] = std::move(column);
}

TableText readText(std::string_view sql) {
  const std::vector<Token> tokens = tokensOf(sql);
  const auto open = std::find_if(tokens.begin(), tokens.end(),
                                 [](const Token& token) { return token.isSymbol('('); });
  TableText table;
  SS_CHECK(open != tokens.end(), sql);
  const Tokens list(open, tokens.end());
  for (const Tokens part : partsOf(list)) readPart(part, table);
  for (const Token& option : list.subspan(parenthesisLength(list))) {
    table.isStrict |= option.isWord("strict");
    table.isWithoutRowid |= option.isWord("without");
  }
  return table;
}

// A default that is a name stands for the text.
std::string defaultText(std::string_view written) {
  constexpr std::array kWords{"true"sv,         "false"sv,        "null"sv,
                              "current_date"sv, "current_time"sv, "current_timestamp"sv};
  const std::vector<Token> tokens = tokensOf(written);
  const bool isName = tokens.size() == 1 && tokens[0].kind != Token::Kind::Other;
  if (!isName) return joinTokens(tokens);
  const bool isKeyword =
      tokens[0].kind == Token::Kind::Word && std::ranges::count(kWords, tokens[0].text) != 0;
  return isKeyword ? tokens[0].text : textConstant(unquotedText(written));
}

void readColumns(Database& database, const TableText& text, TableShape& table) {
  struct Read {
    ColumnShape shape;
    bool notNull;
    std::int64_t keyPosition;
  };
  std::vector<Read> columns;
  std::int64_t keyColumns = 0;
  forEachRow(database,
             "select name, type, \"notnull\", dflt_value, pk, hidden from pragma_table_xinfo(?1)",
             table.name, [&](const Execution& row) {
               columns.push_back({.shape = {.name = textOf(row, 0), .description = {}},
                                  .notNull = row.column(2).integer != 0,
                                  .keyPosition = row.column(4).integer});
               keyColumns += row.column(4).integer != 0;
               std::string& description = columns.back().shape.description;
               description = upperCase(row.column(1).bytes);
               const std::string initial = defaultText(row.column(3).bytes);
               if (!initial.empty() && initial != "null") description += str(" DEFAULT ", initial);
               if (row.column(5).integer == 2) description += " VIRTUAL";
               if (row.column(5).integer == 3) description += " STORED";
             });
  for (Read& column : columns) {
    std::string& description = column.shape.description;
    // The rowid is never NULL, whether the text says so or not.
    const bool isRowid = !text.isWithoutRowid && keyColumns == 1 && column.keyPosition == 1 &&
                         description == "INTEGER";
    if (column.notNull && !isRowid) description += " NOT NULL";
    if (column.keyPosition != 0) description += " PRIMARY KEY";
    if (keyColumns > 1 && column.keyPosition != 0) description += str(" ", column.keyPosition);
    if (column.keyPosition != 0 && text.autoincrement) description += " AUTOINCREMENT";
    if (const auto found = text.columns.find(lowerCase(column.shape.name));
        found != text.columns.end()) {
      const ColumnText& more = found->second;
      if (more.autoincrement) description += " AUTOINCREMENT";
      if (!more.collation.empty() && more.collation != "BINARY") {
        description += str(" COLLATE ", more.collation);
      }
      if (!more.generated.empty()) description += str(" AS (", more.generated, ")");
    }
    if (description.starts_with(' ')) description.erase(0, 1);  // There was no type.
    table.columns.push_back(std::move(column.shape));
  }
}

// `(email, name DESC)`
std::string keyList(Database& database, std::string_view index) {
  std::string list;
  forEachRow(database,
             "select name, \"desc\" from pragma_index_xinfo(?1) where key = 1 order by seqno",
             index, [&list](const Execution& row) {
               list += str(list.empty() ? "" : ", ", lowerCase(row.column(0).bytes),
                           row.column(1).integer != 0 ? " DESC" : "");
             });
  return str("(", list, ")");
}

void readUniqueConstraints(Database& database, TableShape& table) {
  std::vector<std::string> indexes;
  forEachRow(database, "select name from pragma_index_list(?1) where origin = 'u'", table.name,
             [&indexes](const Execution& row) { indexes.push_back(textOf(row, 0)); });
  for (const std::string& index : indexes) {
    table.constraints.push_back(str("UNIQUE ", keyList(database, index)));
  }
}

// `id, number`: the primary key in its order; empty unless it has so many columns.
std::string primaryKeyOf(Database& database, std::string_view table, std::size_t count) {
  std::string columns;
  std::size_t found = 0;
  forEachRow(database, "select name from pragma_table_xinfo(?1) where pk > 0 order by pk", table,
             [&columns, &found](const Execution& row) {
               columns += str(found++ == 0 ? "" : ", ", lowerCase(row.column(0).bytes));
             });
  return found == count ? columns : std::string();
}

void readForeignKeys(Database& database, TableShape& table) {
  struct Key {
    std::string from, parent, to, actions;
    bool isNamed = false;
    std::size_t columns = 0;
  };
  std::vector<Key> keys;
  forEachRow(database,
             "select seq, \"table\", \"from\", coalesce(\"to\", ''), on_update, on_delete"
             " from pragma_foreign_key_list(?1) order by id, seq",
             table.name, [&keys](const Execution& row) {
               if (row.column(0).integer == 0) {
                 Key key{
                     .from = {}, .parent = lowerCase(row.column(1).bytes), .to = {}, .actions = {}};
                 const std::string onUpdate = textOf(row, 4);
                 const std::string onDelete = textOf(row, 5);
                 if (onUpdate != "NO ACTION") key.actions += str(" ON UPDATE ", onUpdate);
                 if (onDelete != "NO ACTION") key.actions += str(" ON DELETE ", onDelete);
                 keys.push_back(std::move(key));
               }
               Key& key = keys.back();
               const char* separator = key.from.empty() ? "" : ", ";
               key.from += str(separator, lowerCase(row.column(2).bytes));
               key.to += str(separator, lowerCase(row.column(3).bytes));
               key.isNamed |= !row.column(3).bytes.empty();
               ++key.columns;
             });
  for (Key& key : keys) {
    // Without names, it leads to the primary key.
    if (!key.isNamed) key.to = primaryKeyOf(database, key.parent, key.columns);
    table.constraints.push_back(str("FOREIGN KEY (", key.from, ") REFERENCES ", key.parent,
                                    key.to.empty() ? "" : str(" (", key.to, ")"), key.actions));
  }
}

TableShape readTable(Database& database, std::string name, std::string sql) {
  TableShape table{.name = std::move(name),
                   .sql = std::move(sql),
                   .options = {},
                   .columns = {},
                   .constraints = {}};
  const TableText text = readText(table.sql);
  if (text.isStrict) table.options.emplace_back("STRICT");
  if (text.isWithoutRowid) table.options.emplace_back("WITHOUT ROWID");
  readColumns(database, text, table);
  readUniqueConstraints(database, table);
  readForeignKeys(database, table);
  for (const std::string& check : text.checks)
    table.constraints.push_back(str("CHECK (", check, ")"));
  for (std::size_t i = 0; i < text.deferredKeys; ++i) {
    table.constraints.emplace_back("INITIALLY DEFERRED");
  }
  std::sort(table.constraints.begin(), table.constraints.end());
  return table;
}

// From ON to the end, without what is the default anyway.
std::string indexDefinition(const std::vector<Token>& tokens) {
  const auto on = std::find_if(tokens.begin(), tokens.end(),
                               [](const Token& token) { return token.isWord("on"); });
  std::vector<Token> kept;
  std::copy_if(on, tokens.end(), std::back_inserter(kept),
               [](const Token& token) { return !token.isWord("asc"); });
  // SQLite takes a text for the table's name as well.
  if (kept.size() > 1) kept[1] = {Token::Kind::QuotedName, kept[1].name()};
  return joinTokens(kept);
}

struct NamedSql {
  std::string name, sql;
};

}  // namespace

std::vector<TableShape> readTables(Database& database) {
  std::vector<NamedSql> definitions;
  forEachRow(database,
             "select name, sql from sqlite_schema where type = ?1 and rootpage <> 0"
             " and name not like 'sqlite\\_%' escape '\\'"
             " and name not like '\\_\\_schemascript\\_%' escape '\\' order by rowid",
             "table", [&definitions](const Execution& row) {
               definitions.push_back({.name = textOf(row, 0), .sql = textOf(row, 1)});
             });
  std::vector<TableShape> tables;
  for (NamedSql& each : definitions) {
    if (isSameName(each.name, kDrizzleTable) || isPartOfSearch(database, each.name)) continue;
    tables.push_back(readTable(database, std::move(each.name), std::move(each.sql)));
  }
  return tables;
}

std::vector<IndexShape> readIndexes(Database& database) {
  std::vector<IndexShape> indexes;
  forEachRow(database,
             "select name, tbl_name, sql from sqlite_schema where type = ?1 and sql is not null"
             " and tbl_name not like '\\_\\_schemascript\\_%' escape '\\' order by rowid",
             "index", [&indexes](const Execution& row) {
               if (isSameName(textOf(row, 1), kDrizzleTable)) return;
               const std::string sql = textOf(row, 2);
               const std::vector<Token> tokens = tokensOf(sql);
               indexes.push_back({.name = textOf(row, 0),
                                  .table = lowerCase(row.column(1).bytes),
                                  .sql = sql,
                                  .definition = indexDefinition(tokens),
                                  .unique = tokens.size() > 1 && tokens[1].isWord("unique")});
             });
  return indexes;
}

std::optional<TableShape> tryReadTable(Database& database, std::string_view name) {
  std::optional<NamedSql> found;
  forEachRow(database,
             "select name, sql from sqlite_schema where type = 'table' and rootpage <> 0"
             " and name = ?1 collate nocase",
             name, [&found](const Execution& row) {
               found = NamedSql{.name = textOf(row, 0), .sql = textOf(row, 1)};
             });
  if (!found) return std::nullopt;
  return readTable(database, std::move(found->name), std::move(found->sql));
}

}  // namespace schemascript
