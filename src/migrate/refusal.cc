// Finds the rows by trying: what SQLite refuses one by one is what it has refused together.
#include "migrate/refusal.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "database/database-error.h"
#include "migrate/rows.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

constexpr std::size_t kSamples = 5;

std::string renderValue(const ValueView& value) {
  const std::string list = listValues({&value, 1});
  return list.substr(1, list.size() - 2);  // Without its brackets.
}

// The name behind the last FROM, when the text ends with it: only then a WHERE may follow.
std::optional<std::string> tryFindSource(std::string_view sql) {
  const std::vector<Token> tokens = tokensOf(sql);
  std::size_t size = tokens.size();
  while (size != 0 && tokens[size - 1].isSymbol(';')) --size;
  if (size < 4 || !tokens[0].isWord("insert") || !tokens[size - 2].isWord("from")) {
    return std::nullopt;
  }
  const std::string name = tokens[size - 1].name();
  return name.empty() ? std::nullopt : std::optional(name);
}

std::string_view withoutSemicolon(std::string_view sql) {
  const std::size_t end = sql.find_last_not_of("; \t\r\n");
  return sql.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

std::string listOf(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += str(list.empty() ? "" : ", ", quotedName(name));
  return list;
}

// Of what was refused.
struct Refused {
  std::string why;
  std::size_t rows = 0;
  std::string sample;

  void add(const std::string& key) {
    ++rows;
    if (rows <= kSamples) sample += str(sample.empty() ? "" : ", ", key);
    if (rows == kSamples + 1) sample += ", ...";
  }
};

std::string rowsText(std::size_t rows) { return rows == 1 ? "1 row" : str(rows, " rows"); }

// How a new table is called on its way only.
std::string withoutPrefix(std::string text) {
  for (std::size_t at; (at = text.find(kNewTablePrefix)) != std::string::npos;) {
    text.erase(at, kNewTablePrefix.size());
  }
  return text;
}

Error explainCopy(Database& database, std::string_view sql, const std::string& source,
                  const Error& error) {
  const std::vector<std::string> key = keyOf(database, source);
  if (key.empty()) return {error.code(), withoutPrefix(error.message()), *error.detail()};
  std::string condition;
  for (const std::string& name : key) {
    condition += str(condition.empty() ? "" : " AND ", quotedName(name), " IS ?");
  }
  Statement keys =
      database.prepare(str("SELECT ", listOf(key), " FROM ", quotedName(source)), Rules::Migration);
  Statement copy =
      database.prepare(str(withoutSemicolon(sql), " WHERE ", condition), Rules::Migration);
  std::map<std::string, Refused> refused;
  Execution rows(keys);
  while (rows.step()) {
    std::vector<ValueView> values;
    for (std::size_t i = 0; i < key.size(); ++i) values.push_back(rows.column(static_cast<int>(i)));
    try {
      copy.run(values);
    } catch (const ConstraintViolation& violation) {
      refused[withoutPrefix(violation.message())].add(renderKey(key, rows));
    }
  }
  if (refused.empty()) return error;
  std::string message = str("rows of ", source, " do not fit what it becomes");
  for (const auto& [why, which] : refused) {
    message += str("\n  ", rowsText(which.rows), " (", which.sample, "): ", why);
  }
  return {error.code(), std::move(message), *error.detail()};
}

// `CREATE UNIQUE INDEX name ON table (parts) WHERE condition`
struct UniqueIndex {
  std::string name;
  std::string table;
  std::vector<std::string> parts;
  std::string condition;
};

std::optional<UniqueIndex> tryReadIndex(std::string_view sql) {
  const std::vector<Token> tokens = tokensOf(sql);
  std::size_t at = 0;
  while (at < tokens.size() && !tokens[at].isWord("on")) ++at;
  if (tokens.size() < 3 || !tokens[0].isWord("create") || !tokens[1].isWord("unique") ||
      at + 3 >= tokens.size() || at == 0 || !tokens[at + 2].isSymbol('(')) {
    return std::nullopt;
  }
  UniqueIndex index{
      .name = tokens[at - 1].name(), .table = tokens[at + 1].name(), .parts = {}, .condition = {}};
  std::size_t depth = 1;
  std::size_t begin = at + 3;
  std::size_t end = begin;
  const std::span<const Token> all(tokens);
  const auto take = [&] {
    std::span<const Token> part = all.subspan(begin, end - begin);
    if (!part.empty() && (part.back().isWord("asc") || part.back().isWord("desc"))) {
      part = part.first(part.size() - 1);
    }
    index.parts.push_back(joinTokens(part));
    begin = end + 1;
  };
  for (; end < tokens.size(); ++end) {
    if (tokens[end].isSymbol('(')) ++depth;
    if (tokens[end].isSymbol(')') && --depth == 0) break;
    if (depth == 1 && tokens[end].isSymbol(',')) take();
  }
  take();
  if (begin < tokens.size() && tokens[begin].isWord("where")) {
    index.condition = joinTokens(all.subspan(begin + 1));
    while (index.condition.ends_with(';') || index.condition.ends_with(' ')) {
      index.condition.pop_back();
    }
  }
  return index;
}

Error explainIndex(Database& database, const UniqueIndex& index, const Error& error) {
  const std::vector<std::string> key = keyOf(database, index.table);
  if (key.size() != 1) return error;
  std::string groups;
  std::string condition = index.condition.empty() ? "1" : str('(', index.condition, ')');
  for (const std::string& part : index.parts) {
    groups += str(groups.empty() ? "" : ", ", part);
    condition += str(" AND (", part, ") IS NOT NULL");
  }
  const std::string name = quotedName(key.front());
  Statement alike = database.prepare(
      str("SELECT min(", name, "), max(", name, "), count(*) FROM ", quotedName(index.table),
          " WHERE ", condition, " GROUP BY ", groups, " HAVING count(*) > 1"),
      Rules::Migration);
  Refused refused;
  std::int64_t rows = 0;
  Execution pairs(alike);
  while (pairs.step()) {
    refused.add(str(renderValue(pairs.column(0)), " and ", renderValue(pairs.column(1))));
    rows += pairs.column(2).integer;
  }
  if (refused.rows == 0) return error;
  return {error.code(),
          str("index ", index.name, " cannot be made: ", rowsText(static_cast<std::size_t>(rows)),
              " of ", index.table, " have ", groups, " like another one (", key.front(), ' ',
              refused.sample, "); change them first"),
          *error.detail()};
}

}  // namespace

std::vector<std::string> keyOf(Database& database, std::string_view table) {
  std::vector<std::string> key;
  std::vector<std::string> names;
  forEachRow(database, "select name, pk from pragma_table_xinfo(?1) order by pk", table,
             [&](const Execution& row) {
               names.push_back(lowerCase(textOf(row, 0)));
               if (row.column(1).integer != 0) key.push_back(textOf(row, 0));
             });
  if (!key.empty()) return key;
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    if (std::ranges::find(names, name) == names.end()) return {name};
  }
  return {};
}

std::string renderKey(const std::vector<std::string>& key, const Execution& row, int column) {
  if (key.size() == 1) return str(key.front(), ' ', renderValue(row.column(column)));
  std::string names;
  std::string values;
  for (const std::string& name : key) {
    names += str(names.empty() ? "" : ", ", name);
    values += str(values.empty() ? "" : ", ", renderValue(row.column(column++)));
  }
  return str('(', names, ") (", values, ')');
}

Error explained(Database& database, std::string_view sql, const Error& error) {
  const DatabaseErrorDetail* const detail = error.detail();
  if (detail == nullptr || error.code() != ErrorCode::Conflict) return error;
  try {
    if (const auto source = tryFindSource(sql)) return explainCopy(database, sql, *source, error);
    if (const auto index = tryReadIndex(sql)) return explainIndex(database, *index, error);
  } catch (const LimitExceeded&) {
    throw;
  } catch (
      const Error&) {  // A text that somebody has written otherwise: it has failed all the same.
  }
  return error;
}

std::vector<MissingParents> findMissingParents(Database& database, std::string_view table) {
  std::map<std::string, MissingParents> byParent;
  const std::vector<std::string> key = keyOf(database, table);
  Statement check =
      database.prepare(str("PRAGMA foreign_key_check(", quotedName(table), ')'), Rules::Migration);
  std::optional<Statement> rowWithKey;
  Execution rows(check);
  while (rows.step()) {
    MissingParents& missing = byParent[textOf(rows, 2)];
    missing.child = textOf(rows, 0);
    missing.parent = textOf(rows, 2);
    const ValueView rowid = rows.column(1);
    if (++missing.rows > static_cast<std::int64_t>(kSamples) || rowid.kind == ValueKind::Null ||
        key.empty()) {
      continue;
    }
    if (!rowWithKey) {
      rowWithKey.emplace(database.prepare(
          str("SELECT ", listOf(key), " FROM ", quotedName(table), " WHERE rowid = ?"),
          Rules::Migration));
    }
    Execution row(*rowWithKey, {&rowid, 1});
    if (!row.step()) continue;
    missing.sample += str(missing.sample.empty() ? "" : ", ", renderKey(key, row));
  }
  std::vector<MissingParents> all;
  for (auto& [name, missing] : byParent) all.push_back(std::move(missing));
  return all;
}

}  // namespace schemascript
