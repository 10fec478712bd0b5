// Reads virtual tables, views and triggers from the schema table.
#include "migrate/definition.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/error.h"
#include "migrate/rows.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

using std::string_view_literals::operator""sv;

// An FTS5 table `x` keeps its words in `x_data` and so on. `x_content` is not made for each, but
// no other table may be called so.
constexpr std::array kParts{"config"sv, "content"sv, "data"sv, "docsize"sv, "idx"sv};

// The table that `content=` names, in lower case; empty when the virtual table keeps its own texts.
std::string contentOf(std::span<const Token> tokens) {
  for (std::size_t at = 0; at + 2 < tokens.size(); ++at) {
    if (tokens[at].isWord("content") && tokens[at + 1].isSymbol('=')) return tokens[at + 2].name();
  }
  return {};
}

std::string_view typeOf(DefinitionKind kind) {
  switch (kind) {
    case DefinitionKind::VirtualTable:
      return "table";
    case DefinitionKind::View:
      return "view";
    case DefinitionKind::Trigger:
      return "trigger";
  }
  return {};
}

}  // namespace

std::string_view nameOf(DefinitionKind kind) noexcept {
  return kind == DefinitionKind::VirtualTable ? "virtual table" : typeOf(kind);
}

std::vector<Definition> readDefinitions(Database& database, DefinitionKind kind) {
  std::vector<Definition> definitions;
  // CREATE VIEW name, CREATE VIRTUAL TABLE name: so SQLite stores them, however they were written.
  const std::size_t wordsBefore = kind == DefinitionKind::VirtualTable ? 3 : 2;
  forEachRow(database,
             "select name, tbl_name, sql from sqlite_schema where type = ?1 and rootpage = 0"
             " order by rowid",
             typeOf(kind), [&](const Execution& row) {
               Definition found{.name = textOf(row, 0),
                                .table = lowerCase(row.column(1).bytes),
                                .sql = textOf(row, 2),
                                .text = {}};
               const std::vector<Token> tokens = tokensOf(found.sql);
               SS_CHECK(tokens.size() > wordsBefore, found.sql);
               found.text = joinTokens(std::span(tokens).subspan(wordsBefore + 1));
               if (kind == DefinitionKind::VirtualTable) found.table = contentOf(tokens);
               definitions.push_back(std::move(found));
             });
  return definitions;
}

std::optional<std::string> tryFindKind(Database& database, std::string_view name) {
  std::optional<std::string> kind;
  forEachRow(database,
             "select iif(type = 'table' and rootpage = 0, 'virtual table', type) from sqlite_schema"
             " where type <> 'trigger' and name = ?1 collate nocase",
             name, [&kind](const Execution& row) { kind = textOf(row, 0); });
  if (kind == "table" && isPartOfSearch(database, name)) kind = "part of a virtual table";
  return kind;
}

bool isPartOfSearch(Database& database, std::string_view name) {
  const std::size_t end = name.rfind('_');
  if (end == std::string_view::npos) return false;
  const std::string part = lowerCase(name.substr(end + 1));
  if (!std::binary_search(kParts.begin(), kParts.end(), part)) return false;
  bool isPart = false;
  forEachRow(database,
             "select sql from sqlite_schema where type = 'table' and rootpage = 0"
             " and name = ?1 collate nocase",
             name.substr(0, end), [&isPart](const Execution& row) {
               const std::vector<Token> tokens = tokensOf(row.column(0).bytes);
               isPart = tokens.size() > 5 && tokens[5].name() == "fts5";
             });
  return isPart;
}

std::optional<std::string> tryFindPartName(Database& database, std::string_view name) {
  for (const std::string_view part : kParts) {
    std::string partName = str(name, '_', part);
    if (tryFindKind(database, partName)) return partName;
  }
  return std::nullopt;
}

}  // namespace schemascript
