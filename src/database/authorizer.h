// What a statement may do, decided while SQLite compiles it, and what can be learnt about it then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "database/capabilities.h"

struct sqlite3_stmt;

namespace schemascript {

// On whose behalf a statement is compiled and run.
enum class Rules : std::uint8_t {
  Guest,             // Allow-lists: one database file, no transactions by hand, no settings.
  SchemaDefinition,  // CREATE of what a schema consists of, nothing else; of a guest as well.
  SchemaQuery,  // What views and triggers do, compiled but not run: a schema's own tables only.
  Migration,    // An owner's own SQL, inside of a transaction of the host's: one file, no settings.
  Host,         // Our own SQL: everything.
};

// How the names of the host's own tables in a guest's database begin, in lower case. All rules but
// Rules::Host refuse to read, change, define or drop such tables.
inline constexpr std::string_view kHostTablePrefix = "__schemascript_";
// Of these, what Rules::Migration may use: tables that are kept for a way back, that are on their
// way to become another, and that are out of its way.
inline constexpr std::string_view kKeptTablePrefix = "__schemascript_kept_";
inline constexpr std::string_view kNewTablePrefix = "__schemascript_new_";
inline constexpr std::string_view kAsideTablePrefix = "__schemascript_aside_";

struct WrittenTable {
  std::string name;
  bool direct = false;  // By the statement itself, not by a trigger of it.
  bool inserts = false;
  bool updates = false;
  bool deletes = false;
};

// What SQLite says about a statement only while compiling it.
struct StatementFacts {
  std::vector<WrittenTable> written;
  bool readsLastInsertRowid = false;

  bool insertsDirectly() const noexcept;
};

// SQLite's authorizer callback with its state. Belongs to one connection.
class Authorizer {
 public:
  Rules rules = Rules::Host;
  // Where facts go while a statement is compiled; null when SQLite compiles one again by itself.
  StatementFacts* facts = nullptr;
  // Why the last compilation was refused; empty when it was not.
  std::string refusal;
  // Restricts Rules::Guest to what these name; null: no restriction. To be set, with the two below,
  // before SQLite is called; they must live until it returns.
  const Capabilities* capabilities = nullptr;
  // The text of the statement that is compiled, or compiled again.
  std::string_view sql;
  // The statement that is stepped or reset; null while one is compiled.
  sqlite3_stmt* running = nullptr;
  // What the statement calls a common table expression, which must not be the name of a table or
  // view that is not granted: SQLite tells of both in one way. For whoever compiles to check.
  std::vector<std::string> commonTables;
  // Triggers and views inside of each other in one statement.
  std::uint32_t nestedTriggersMax = Limits{}.nestedTriggersMax;

  // The signature and the answers of sqlite3_set_authorizer(); `self` is the Authorizer.
  static int authorize(void* self, int action, const char* first, const char* second,
                       const char* schema, const char* trigger) noexcept;

 private:
  bool entersTooManyTriggers(const char* trigger);
  int decide(int action, const char* first, const char* second, const char* schema,
             const char* trigger);
  int decideQuery(int action, const char* first, const char* second);
  int decideDefinition(int action, const char* first, const char* second);
  int decideSchemaQuery(int action, const char* first, const char* second);
  int decideMigration(int action, const char* first, const char* second);
  int decideFunction(const char* name);
  int decidePragma(const char* name, const char* argument);
  int decideGranted(int action, const char* first, const char* second, const char* schema,
                    const char* context);
  int decideRead(std::string_view table, std::string_view column, const char* schema,
                 const char* context);
  int decideWrite(int action, std::string_view table, const char* column, const char* context);
  int decideContext(std::string_view context);
  bool isOwnText(const char* context);
  bool isCommonTable(std::string_view name);
  bool isNamed(std::string_view table) const;
  void learn(int action, const char* first, const char* second, const char* trigger);
  int refuse(std::string reason);

  // The trigger or view that is being compiled, and how many were entered since the statement's own
  // text was: never less than their depth.
  std::string trigger_;
  std::uint32_t triggersEntered_ = 0;
};

}  // namespace schemascript
