// Executes the definitions in memory, counts them, and compiles what SQLite has only stored.
#include "migrate/desired.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "migrate/rows.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

using std::string_view_literals::operator""sv;
using Tokens = std::vector<Token>;

// FTS5 takes any beginning of these for the whole. Written in full, they can be read here as well.
constexpr std::array kSearchOptions{"columnsize"sv, "content"sv, "content_rowid"sv,
                                    "detail"sv,     "prefix"sv,  "tokenize"sv};

struct Counts {
  std::uint32_t statements = 0;
  std::uint32_t views = 0;
  std::uint32_t triggers = 0;
};

void count(std::uint32_t& number, std::uint32_t max, std::string_view what, std::string_view name) {
  if (++number <= max) return;
  throw limitExceeded(
      str("the schema has more than ", max, " ", what, "; ", name, " is the limit"));
}

void checkCounts(const Tokens& tokens, const Limits& limits, Counts& counts) {
  count(counts.statements, limits.schemaStatementsMax, "statements", "schemaStatementsMax");
  if (tokens.size() < 2) return;
  if (tokens[1].isWord("view")) {
    count(counts.views, limits.schemaViewsMax, "views", "schemaViewsMax");
  }
  if (tokens[1].isWord("trigger")) {
    count(counts.triggers, limits.schemaTriggersMax, "triggers", "schemaTriggersMax");
  }
}

// Before an FTS5 table is made: what it would take for a part of itself becomes read-only.
void checkPartNames(Database& desired, const Tokens& tokens) {
  if (tokens.size() < 2 || !tokens[1].isWord("virtual")) return;
  const auto module = std::find_if(tokens.begin() + 2, tokens.end(),
                                   [](const Token& token) { return token.isWord("using"); });
  const std::string name = (module - 1)->name();
  if (tryFindKind(desired, name)) return;
  if (const auto part = tryFindPartName(desired, name)) {
    throw invalidRequest(
        str("virtual table ", name, ": ", *part, " has the name of a part of it; rename one"));
  }
}

void execute(Database& desired, std::string_view sql, const Database& interruptible) {
  Counts counts;
  std::size_t at = 0;
  while (auto statement = desired.tryPrepareNext(sql, at, Rules::SchemaDefinition)) {
    interruptible.throwIfInterrupted();
    const Tokens tokens = tokensOf(statement->sql());
    checkCounts(tokens, desired.limits(), counts);
    checkPartNames(desired, tokens);
    statement->run();
  }
}

// How many tokens the views are when each view that one reads is written out in it.
class ViewSizes {
 public:
  explicit ViewSizes(const std::vector<Definition>& views) {
    for (const Definition& view : views) views_[lowerCase(view.name)] = tokensOf(view.text);
  }

  // Stops counting when it is more than `max`.
  std::uint64_t sizeOf(const Tokens& tokens, std::uint64_t max) {
    std::uint64_t size = tokens.size();
    for (const Token& token : tokens) {
      const auto view = views_.find(token.name());
      if (view == views_.end()) continue;
      // SQLite refuses one that reads itself. Here it counts as nothing.
      const auto [known, isNew] = sizes_.try_emplace(view->first, 0);
      if (isNew) known->second = sizeOf(view->second, max);
      size += known->second;
      if (size > max) break;
    }
    return size;
  }

 private:
  std::map<std::string, Tokens> views_;
  std::map<std::string, std::uint64_t> sizes_;
};

void checkSizes(const Schema& schema, const Limits& limits) {
  const std::uint64_t max = limits.schemaTokensMax;
  ViewSizes sizes(schema.views);
  std::uint64_t size = 0;
  for (const auto* definitions : {&schema.views, &schema.triggers}) {
    for (const Definition& each : *definitions) {
      size += sizes.sizeOf(tokensOf(each.text), max);
      if (size <= max) continue;
      throw limitExceeded(
          str("the views and triggers of the schema, with the views that they read written out, "
              "have more than ",
              max, " tokens; schemaTokensMax is the limit"));
    }
  }
}

// Compiles a statement that is never run, for SQLite and the authorizer to see what it would do.
void compile(Database& desired, std::string_view what, std::string_view sql) {
  try {
    desired.prepare(sql, Rules::SchemaQuery);
  } catch (const Error& error) {
    // A position would be one in our own text.
    const std::string& message = error.message();
    throw Error(error.code(), str(what, ": ", message.substr(0, message.rfind(" at line "))),
                error.detail() == nullptr ? DatabaseErrorDetail{} : *error.detail());
  }
}

// `update "t" set "a" = "a", ...`: fires the triggers of each column.
std::string updateOf(Database& desired, const std::string& table) {
  std::string assignments;
  forEachRow(desired, "select name from pragma_table_xinfo(?1) where hidden = 0", table,
             [&assignments](const Execution& row) {
               const std::string name = quotedName(row.column(0).bytes);
               assignments += str(assignments.empty() ? "" : ", ", name, " = ", name);
             });
  return str("update ", quotedName(table), " set ", assignments);
}

// The defaults of columns that may call a function: SQLite asks the authorizer about none of them.
std::vector<std::string> defaultCallsOf(Database& desired, const std::string& table) {
  std::vector<std::string> calls;
  forEachRow(desired, "select dflt_value from pragma_table_xinfo(?1) where dflt_value like '%(%'",
             table, [&calls](const Execution& row) {
               const Tokens tokens = tokensOf(row.column(0).bytes);
               if (std::any_of(tokens.begin(), tokens.end(),
                               [](const Token& token) { return token.isSymbol('('); })) {
                 calls.push_back(textOf(row, 0));
               }
             });
  return calls;
}

std::string eventOf(const Definition& trigger) {
  for (const Token& token : tokensOf(trigger.text)) {
    if (token.isWord("insert") || token.isWord("update") || token.isWord("delete")) {
      return token.text;
    }
  }
  throw internal(str("a trigger without an event: ", trigger.sql));
}

void compileAll(Database& desired, const Schema& schema, const Database& interruptible) {
  // A parent table may be one of the database's own.
  desired.execute("pragma foreign_keys = off", Rules::Host);
  for (const Definition& view : schema.views) {
    interruptible.throwIfInterrupted();
    compile(desired, str("view ", view.name), str("select * from ", quotedName(view.name)));
  }
  // All triggers of a table and an event are compiled together.
  std::set<std::pair<std::string, std::string>> compiled;
  for (const Definition& trigger : schema.triggers) {
    const std::string event = eventOf(trigger);
    if (!compiled.emplace(trigger.table, event).second) continue;
    interruptible.throwIfInterrupted();
    std::string sql = str("insert into ", quotedName(trigger.table), " default values");
    if (event == "update") sql = updateOf(desired, trigger.table);
    if (event == "delete") sql = str("delete from ", quotedName(trigger.table));
    compile(desired, str("trigger ", trigger.name), sql);
  }
  for (const TableShape& table : schema.tables) {
    interruptible.throwIfInterrupted();
    for (const std::string& call : defaultCallsOf(desired, table.name)) {
      compile(desired, str("table ", table.name), str("select ", call));
    }
  }
}

void checkOptions(const Definition& search) {
  const Tokens tokens = tokensOf(search.text);
  for (std::size_t at = 1; at < tokens.size(); ++at) {
    if (!tokens[at].isSymbol('=')) continue;
    const Token& option = tokens[at - 1];
    if (option.kind == Token::Kind::Word &&
        std::binary_search(kSearchOptions.begin(), kSearchOptions.end(), option.text)) {
      continue;
    }
    throw invalidRequest(str("virtual table ", search.name, ": there is no option ", option.text,
                             "; write names of options in full"));
  }
}

void checkSearch(Database& desired, const Schema& schema) {
  for (const Definition& search : schema.virtualTables) {
    checkOptions(search);
    if (search.table.empty()) continue;
    const bool isKnown = std::any_of(
        schema.tables.begin(), schema.tables.end(),
        [&search](const TableShape& table) { return isSameName(table.name, search.table); });
    if (!isKnown) {
      throw invalidRequest(str("virtual table ", search.name, ": the schema has no table ",
                               search.table, " to search"));
    }
    try {
      fillSearch(desired, search.name);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::InvalidRequest) throw;
      throw invalidRequest(str("virtual table ", search.name, ": ", search.table,
                               " does not have the columns and the rowid that it names"));
    }
  }
}

}  // namespace

Schema readDesired(std::string_view sql, const Database& interruptible) {
  Database desired({.file = {}, .limits = interruptible.limits()});
  execute(desired, sql, interruptible);
  Schema schema = readSchema(desired);
  for (const IndexShape& index : schema.indexes) {
    if (!isPartOfSearch(desired, index.table)) continue;
    throw invalidRequest(
        str("index ", index.name, ": ", index.table, " is a part of a virtual table"));
  }
  checkSizes(schema, desired.limits());
  checkSearch(desired, schema);
  compileAll(desired, schema, interruptible);
  return schema;
}

void fillSearch(Database& database, std::string_view name) {
  const std::string quoted = quotedName(name);
  database.execute(str("insert into ", quoted, " (", quoted, ") values ('rebuild')"), Rules::Guest);
}

}  // namespace schemascript
