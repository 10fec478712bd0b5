// The allow-lists of guests' SQL, and the facts that SQLite tells while it compiles.
#include "database/authorizer.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "database/sql-text.h"

namespace schemascript {
namespace {

using std::string_view_literals::operator""sv;

// Sorted, for tryFind. Not here: load_extension, fts3_tokenizer (takes a pointer), the debugging
// functions, and whatever a newer SQLite brings before somebody has looked at it. Nor what takes
// more than linear time where no deadline stops it: json_patch (two objects of 40'000 members:
// 10 s). Nor jsonb and what else answers in SQLite's own binary form of JSON: nothing here stores
// it, and SQLite reads a damaged one less carefully than a text.
constexpr std::array kFunctions{"->"sv,
                                "->>"sv,
                                "abs"sv,
                                "acos"sv,
                                "acosh"sv,
                                "asin"sv,
                                "asinh"sv,
                                "atan"sv,
                                "atan2"sv,
                                "atanh"sv,
                                "avg"sv,
                                "bm25"sv,
                                "ceil"sv,
                                "ceiling"sv,
                                "changes"sv,
                                "char"sv,
                                "coalesce"sv,
                                "concat"sv,
                                "concat_ws"sv,
                                "cos"sv,
                                "cosh"sv,
                                "count"sv,
                                "cume_dist"sv,
                                "current_date"sv,
                                "current_time"sv,
                                "current_timestamp"sv,
                                "date"sv,
                                "datetime"sv,
                                "degrees"sv,
                                "dense_rank"sv,
                                "exp"sv,
                                "first_value"sv,
                                "floor"sv,
                                "format"sv,
                                "fts5"sv,
                                "fts5_source_id"sv,
                                "glob"sv,
                                "group_concat"sv,
                                "hex"sv,
                                "highlight"sv,
                                "if"sv,
                                "ifnull"sv,
                                "iif"sv,
                                "instr"sv,
                                "json"sv,
                                "json_array"sv,
                                "json_array_length"sv,
                                "json_error_position"sv,
                                "json_extract"sv,
                                "json_group_array"sv,
                                "json_group_object"sv,
                                "json_insert"sv,
                                "json_object"sv,
                                "json_pretty"sv,
                                "json_quote"sv,
                                "json_remove"sv,
                                "json_replace"sv,
                                "json_set"sv,
                                "json_type"sv,
                                "json_valid"sv,
                                "julianday"sv,
                                "lag"sv,
                                "last_insert_rowid"sv,
                                "last_value"sv,
                                "lead"sv,
                                "length"sv,
                                "like"sv,
                                "likelihood"sv,
                                "likely"sv,
                                "ln"sv,
                                "log"sv,
                                "log10"sv,
                                "log2"sv,
                                "lower"sv,
                                "ltrim"sv,
                                "match"sv,
                                "max"sv,
                                "min"sv,
                                "mod"sv,
                                "nth_value"sv,
                                "ntile"sv,
                                "nullif"sv,
                                "octet_length"sv,
                                "percent_rank"sv,
                                "pi"sv,
                                "pow"sv,
                                "power"sv,
                                "printf"sv,
                                "quote"sv,
                                "radians"sv,
                                "random"sv,
                                "randomblob"sv,
                                "rank"sv,
                                "replace"sv,
                                "round"sv,
                                "row_number"sv,
                                "rtrim"sv,
                                "sign"sv,
                                "sin"sv,
                                "sinh"sv,
                                "snippet"sv,
                                "soundex"sv,
                                "sqlite_version"sv,
                                "sqrt"sv,
                                "strftime"sv,
                                "string_agg"sv,
                                "substr"sv,
                                "substring"sv,
                                "sum"sv,
                                "tan"sv,
                                "tanh"sv,
                                "time"sv,
                                "timediff"sv,
                                "total"sv,
                                "total_changes"sv,
                                "trim"sv,
                                "trunc"sv,
                                "typeof"sv,
                                "unhex"sv,
                                "unicode"sv,
                                "unixepoch"sv,
                                "unlikely"sv,
                                "upper"sv,
                                "zeroblob"sv};
static_assert(std::is_sorted(kFunctions.begin(), kFunctions.end()));

// What ALTER TABLE and ANALYZE are made of. SQLite lets nobody else call them.
constexpr std::array kInternalFunctions{"sqlite_drop_column"sv,
                                        "sqlite_rename_column"sv,
                                        "sqlite_rename_quotefix"sv,
                                        "sqlite_rename_table"sv,
                                        "sqlite_rename_test"sv,
                                        "stat_get"sv,
                                        "stat_init"sv,
                                        "stat_push"sv};
static_assert(std::is_sorted(kInternalFunctions.begin(), kInternalFunctions.end()));

// Pragmas that answer something, with or without the name of a table or an index.
constexpr std::array kReadingPragmas{
    "collation_list"sv, "foreign_key_check"sv, "foreign_key_list"sv, "index_info"sv,
    "index_list"sv,     "index_xinfo"sv,       "integrity_check"sv,  "quick_check"sv,
    "table_info"sv,     "table_list"sv,        "table_xinfo"sv};
static_assert(std::is_sorted(kReadingPragmas.begin(), kReadingPragmas.end()));

// Pragmas that answer a setting; with a value they would change it, which guests may not.
constexpr std::array kSettingPragmas{
    "application_id"sv, "data_version"sv, "encoding"sv,  "foreign_keys"sv,   "freelist_count"sv,
    "journal_mode"sv,   "page_count"sv,   "page_size"sv, "schema_version"sv, "user_version"sv};
static_assert(std::is_sorted(kSettingPragmas.begin(), kSettingPragmas.end()));

constexpr std::array kModules{"fts5"sv, "fts5vocab"sv, "rtree"sv, "rtree_i32"sv};
static_assert(std::is_sorted(kModules.begin(), kModules.end()));

// Table-valued functions of SQLite's that read what they are given, nothing else.
constexpr std::array kTableFunctions{"json_each"sv, "json_tree"sv, "jsonb_each"sv, "jsonb_tree"sv};
static_assert(std::is_sorted(kTableFunctions.begin(), kTableFunctions.end()));

std::string lowerCase(const char* text) {
  return foldCase(std::string_view(text == nullptr ? "" : text));
}

template <std::size_t size>
bool holds(const std::array<std::string_view, size>& sorted, std::string_view name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

// Not what SQLite itself keeps or answers: `sqlite_schema`, `pragma_table_info`.
bool isOfSchema(const char* table) {
  const std::string lower = lowerCase(table);
  return !lower.starts_with("sqlite_") && !lower.starts_with("pragma_");
}

// Whether something is made in the schema `name`. SQLite does not call what `create table temp.t`
// makes temporary, as it does after `create temp table`.
bool createsIn(int action, const char* schema, std::string_view name) {
  switch (action) {
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_INSERT:  // Of `create trigger temp.t`, SQLite tells no more than its row.
      return schema != nullptr && lowerCase(schema) == name;
    default:
      return false;
  }
}

// Whether a name, or a text in which names stand, holds one of the host's own tables; not those
// that a migration may use, where it is one.
bool namesHostTable(std::string_view text, Rules rules) {
  const std::string lower = foldCase(text);
  for (std::size_t at = 0; (at = lower.find(kHostTablePrefix, at)) != std::string::npos; ++at) {
    const std::string_view name = std::string_view(lower).substr(at);
    if (rules != Rules::Migration ||
        (!name.starts_with(kKeptTablePrefix) && !name.starts_with(kNewTablePrefix) &&
         !name.starts_with(kAsideTablePrefix))) {
      return true;
    }
  }
  return false;
}

bool isHostTable(const char* name, Rules rules) {
  return name != nullptr && lowerCase(name).starts_with(kHostTablePrefix) &&
         namesHostTable(name, rules);
}

// Whether an action is about a table of the host. SQLite does not tell what a table is renamed to,
// what its foreign keys lead to, and what a view or trigger will use: of definitions the text
// decides, in which a name can be hidden by no quoting. ANALYZE and REINDEX without a name visit
// all tables, and show nothing of them.
bool touchesHostTable(int action, const char* first, const char* second, std::string_view sql,
                      Rules rules) {
  switch (action) {
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_DROP_VIEW:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_VTABLE:
      return isHostTable(first, rules);
    case SQLITE_PRAGMA:
      return isHostTable(second, rules);
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_TRIGGER:
      return isHostTable(first, rules) || isHostTable(second, rules);
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_ALTER_TABLE:
      return isHostTable(first, rules) || isHostTable(second, rules) || namesHostTable(sql, rules);
    default:
      return false;
  }
}

constexpr std::string_view kTransactionsByHand =
    "transactions are not opened or ended by SQL; use db.transaction(async (tx) => ...)";
constexpr std::string_view kOneFile =
    "ATTACH, DETACH and VACUUM are not available; a session sees one database as it is";
constexpr std::string_view kNoTemporary =
    "temporary tables, indexes, views and triggers are not available; they would outlive the run";

constexpr std::string_view kMigrationTransaction =
    "a migration is one transaction, which begins before its SQL and is committed after the checks "
    "behind it; take BEGIN, COMMIT, ROLLBACK and SAVEPOINT out of it";
constexpr std::string_view kMigrationFile =
    "ATTACH, DETACH and VACUUM are not available in a migration, which changes one database";

constexpr std::string_view kSchemaStatements =
    "a schema consists of CREATE statements: TABLE, INDEX, VIEW, TRIGGER, and VIRTUAL TABLE with "
    "fts5";

}  // namespace

bool StatementFacts::insertsDirectly() const noexcept {
  return std::any_of(written.begin(), written.end(),
                     [](const WrittenTable& table) { return table.direct && table.inserts; });
}

int Authorizer::authorize(void* self, int action, const char* first, const char* second,
                          const char* schema, const char* trigger) noexcept {
  try {
    return static_cast<Authorizer*>(self)->decide(action, first, second, schema, trigger);
  } catch (...) {
    return SQLITE_DENY;  // Without memory for a sentence, "not authorized" has to do.
  }
}

int Authorizer::refuse(std::string reason) {
  refusal = std::move(reason);
  return SQLITE_DENY;
}

void Authorizer::learn(int action, const char* first, const char* second, const char* trigger) {
  if (facts == nullptr) return;
  if (action == SQLITE_FUNCTION && lowerCase(second) == "last_insert_rowid") {
    facts->readsLastInsertRowid = true;
    return;
  }
  const bool inserts = action == SQLITE_INSERT;
  const bool updates = action == SQLITE_UPDATE;
  const bool deletes = action == SQLITE_DELETE;
  if ((!inserts && !updates && !deletes) || isSchemaTable(first)) return;
  const bool direct = trigger == nullptr;
  auto known = std::find_if(facts->written.begin(), facts->written.end(),
                            [first, direct](const WrittenTable& table) {
                              return table.direct == direct && table.name == first;
                            });
  if (known == facts->written.end()) {
    known = facts->written.insert(known, {.name = first, .direct = direct});
  }
  known->inserts |= inserts;
  known->updates |= updates;
  known->deletes |= deletes;
}

bool Authorizer::entersTooManyTriggers(const char* trigger) {
  if (trigger == nullptr) {
    trigger_.clear();
    triggersEntered_ = 0;
    return false;
  }
  if (trigger_ == trigger) return false;
  trigger_ = trigger;
  return ++triggersEntered_ > nestedTriggersMax;
}

int Authorizer::decide(int action, const char* first, const char* second, const char* schema,
                       const char* trigger) {
  if (entersTooManyTriggers(trigger)) {
    return refuse(str("a statement may lead through ", nestedTriggersMax,
                      " triggers and views (nestedTriggersMax)"));
  }
  learn(action, first, second, trigger);
  if (rules != Rules::Host && touchesHostTable(action, first, second, sql, rules)) {
    return refuse(str("names that begin with ", kHostTablePrefix,
                      " belong to the host; tables so called can be neither read nor changed"));
  }
  const bool isTemporary = rules != Rules::Host && createsIn(action, schema, "temp");
  switch (rules) {
    case Rules::Host:
      return SQLITE_OK;
    case Rules::SchemaDefinition:
      // What is compiled while a definition runs is FTS5's, which makes its own tables.
      if (facts == nullptr) return decideQuery(action, first, second);
      if (const int decision = decideDefinition(action, first, second); decision != SQLITE_OK) {
        return decision;
      }
      return isTemporary ? refuse(std::string(kSchemaStatements)) : SQLITE_OK;
    case Rules::SchemaQuery:
      return decideSchemaQuery(action, first, second);
    case Rules::Migration:
      if (isTemporary) return refuse(std::string(kNoTemporary));
      return decideMigration(action, first, second);
    case Rules::Guest: {
      if (isTemporary) return refuse(std::string(kNoTemporary));
      const int decision = decideQuery(action, first, second);
      if (decision != SQLITE_OK || capabilities == nullptr) return decision;
      return decideGranted(action, first, second, schema, trigger);
    }
  }
  return SQLITE_DENY;
}

// What the session is not granted is still allowed where it is not the session's doing:
// - Inside of views and triggers. SQLite says in whose text an access is (`context`), but a common
//   table expression of the statement looks like a view there.
// - What a module does for its virtual table, what foreign keys do, and what is left of a view that
//   was merged into the statement. SQLite shows these as the statement's own, but the statement can
//   use nothing that its text does not name.
int Authorizer::decideGranted(int action, const char* first, const char* second, const char* schema,
                              const char* context) {
  const Capabilities& granted = *capabilities;
  if (granted.readsEverything() && granted.writesEverything()) return SQLITE_OK;
  // While a statement runs, modules compile statements of their own: FTS5 reads its index. Before
  // it is compiled again, a statement has stopped.
  if (running != nullptr && sqlite3_stmt_busy(running) != 0) return SQLITE_OK;
  const auto view = [](const char* name) { return std::string_view(name == nullptr ? "" : name); };
  switch (action) {
    case SQLITE_READ:
      return decideRead(view(first), view(second), schema, context);
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
      return decideWrite(action, view(first), second, context);
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
      return isOwnText(context) ? SQLITE_OK : decideContext(context);
    case SQLITE_PRAGMA: {
      const std::string name = lowerCase(first);
      // FTS5 asks for it as well; a number that says nothing but that something was written.
      if (name == "data_version") return SQLITE_OK;
      if (name == "defer_foreign_keys" ? granted.writesEverything() : granted.readsEverything()) {
        return SQLITE_OK;
      }
      return refuse(str("PRAGMA ", name, " is not allowed for this session"));
    }
    default:
      return refuse(
          "changing the schema is not allowed for this session, which may not read and write "
          "everything");
  }
}

// Whether an access is in the statement's own text, and not in that of a view or trigger.
bool Authorizer::isOwnText(const char* context) {
  if (context == nullptr) return true;
  // No view or trigger is called so; SQLite's names for parts of a statement are.
  if (lowerCase(context).starts_with("sqlite_")) return true;
  return isCommonTable(context);
}

bool Authorizer::isCommonTable(std::string_view name) {
  if (std::find(commonTables.begin(), commonTables.end(), name) != commonTables.end()) return true;
  if (!definesByWith(sql, name)) return false;
  commonTables.emplace_back(name);
  return true;
}

// A view, or what is in it: granted views show what they show. One that the text does not name is
// used by another one.
int Authorizer::decideContext(std::string_view context) {
  if (capabilities->readsSomeOf(context) || !isNamed(context)) return SQLITE_OK;
  return refuse(str("reading ", context, " is not allowed for this session"));
}

bool Authorizer::isNamed(std::string_view table) const {
  if (!isSchemaTable(table)) return namesInText(sql, table);
  for (const char* name :
       {"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"}) {
    if (namesInText(sql, name)) return true;
  }
  return false;
}

int Authorizer::decideRead(std::string_view table, std::string_view column, const char* schema,
                           const char* context) {
  if (!isOwnText(context)) return decideContext(context);
  // SQLite's name for "none of its columns", as in count(*).
  const bool rowsOnly = column.empty();
  if (rowsOnly ? capabilities->readsSomeOf(table) : capabilities->readsColumn(table, column)) {
    return SQLITE_OK;
  }
  if (holds(kTableFunctions, foldCase(table)) || !isNamed(table)) return SQLITE_OK;
  if (rowsOnly && schema == nullptr && isCommonTable(table)) return SQLITE_OK;
  return refuse(
      str("reading ", table, rowsOnly ? "" : ".", column, " is not allowed for this session"));
}

int Authorizer::decideWrite(int action, std::string_view table, const char* column,
                            const char* context) {
  // How SQLite declares virtual tables and stores definitions, whose own actions are decided;
  // statements that write this table themselves it refuses.
  if (isSchemaTable(table)) return SQLITE_OK;
  if (!isOwnText(context)) return decideContext(context);
  const bool granted = action == SQLITE_UPDATE ? capabilities->writesColumn(table, column)
                                               : capabilities->writesTable(table);
  if (granted) {
    // SQLite copies rows as they are without asking about their columns.
    if (action != SQLITE_INSERT || capabilities->readsEverything() || !copiesWholeRows(sql)) {
      return SQLITE_OK;
    }
    return refuse(str("INSERT INTO ", table,
                      " SELECT * is not allowed for this session without a "
                      "list of columns: write INSERT INTO ",
                      table, " (...) SELECT"));
  }
  if (!isNamed(table)) return SQLITE_OK;
  if (action == SQLITE_UPDATE) {
    return refuse(str("writing ", table, ".", column, " is not allowed for this session"));
  }
  return refuse(str(action == SQLITE_INSERT ? "inserting into " : "deleting from ", table,
                    " is not allowed for this session"));
}

int Authorizer::decideFunction(const char* name) {
  const std::string lower = lowerCase(name);
  if (holds(kFunctions, lower) || holds(kInternalFunctions, lower)) return SQLITE_OK;
  return refuse(str("the SQL function ", lower, " is not available"));
}

int Authorizer::decidePragma(const char* name, const char* argument) {
  const std::string lower = lowerCase(name);
  if (holds(kReadingPragmas, lower)) return SQLITE_OK;
  // Ends with the transaction, so it is no setting of the connection.
  if (lower == "defer_foreign_keys") return SQLITE_OK;
  if (!holds(kSettingPragmas, lower)) return refuse(str("PRAGMA ", lower, " is not available"));
  if (argument == nullptr) return SQLITE_OK;
  return refuse(str("PRAGMA ", lower, " can be read, not set"));
}

int Authorizer::decideQuery(int action, const char* first, const char* second) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_VIEW:
    case SQLITE_DROP_TRIGGER:
    case SQLITE_ALTER_TABLE:
    case SQLITE_REINDEX:
    case SQLITE_ANALYZE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return decideFunction(second);
    case SQLITE_PRAGMA:
      return decidePragma(first, second);
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return refuse(std::string(kTransactionsByHand));
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return refuse(std::string(kOneFile));
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_VTABLE:
      if (holds(kModules, lowerCase(second))) return SQLITE_OK;
      return refuse(str("virtual tables of the module ", second, " are not available"));
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_DROP_TEMP_TABLE:
    case SQLITE_DROP_TEMP_INDEX:
    case SQLITE_DROP_TEMP_VIEW:
    case SQLITE_DROP_TEMP_TRIGGER:
      return refuse(std::string(kNoTemporary));
    default:
      return refuse("this kind of statement is not available");
  }
}

int Authorizer::decideDefinition(int action, const char* first, const char* second) {
  switch (action) {
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_READ:     // The columns of CHECK constraints and partial indexes.
    case SQLITE_REINDEX:  // How an index gets its first rows.
      return SQLITE_OK;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
      // How SQLite stores a definition.
      if (isSchemaTable(first)) return SQLITE_OK;
      break;
    case SQLITE_FUNCTION:
      return decideFunction(second);
    case SQLITE_CREATE_VTABLE:
      if (lowerCase(second) == "fts5") return SQLITE_OK;
      return refuse(str("the virtual tables of a schema are of the module fts5, not ", second));
    default:
      break;
  }
  return refuse(std::string(kSchemaStatements));
}

int Authorizer::decideSchemaQuery(int action, const char* first, const char* second) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
      if (isOfSchema(first)) return SQLITE_OK;
      return refuse(str("views and triggers of a schema use its own tables, not ", first));
    case SQLITE_FUNCTION:
      return decideFunction(second);
    default:
      return refuse("views and triggers of a schema read and write its own tables, nothing else");
  }
}

int Authorizer::decideMigration(int action, const char* first, const char* second) {
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return refuse(std::string(kMigrationTransaction));
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return refuse(std::string(kMigrationFile));
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_DROP_TEMP_TABLE:
    case SQLITE_DROP_TEMP_INDEX:
    case SQLITE_DROP_TEMP_VIEW:
    case SQLITE_DROP_TEMP_TRIGGER:
      return refuse(std::string(kNoTemporary));
    case SQLITE_PRAGMA: {
      const std::string name = lowerCase(first);
      // What is written into the file with the transaction; and what others write into migrations
      // and SQLite ignores inside of one.
      if (name == "user_version" || name == "application_id" || name == "foreign_keys") {
        return SQLITE_OK;
      }
      return decidePragma(first, second);
    }
    default:
      return SQLITE_OK;
  }
}

}  // namespace schemascript
