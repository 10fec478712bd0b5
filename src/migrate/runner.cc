#include "migrate/runner.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "migrate/refusal.h"
#include "migrate/rows.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

using Clock = std::chrono::steady_clock;
using Names = std::set<std::string>;  // In lower case.

constexpr std::uint64_t kCacheBytes = 256ull << 20;

// SQLite ignores the setting inside of a transaction.
class ForeignKeysOff {
 public:
  explicit ForeignKeysOff(Database& database) : database_(database) {
    Statement setting = database.prepare("pragma foreign_keys", Rules::Host);
    Execution execution(setting);
    wasOn_ = execution.step() && execution.column(0).integer != 0;
    execution.finish();
    database.execute("pragma foreign_keys = off", Rules::Host);
  }
  ~ForeignKeysOff() {
    if (!wasOn_) return;
    try {
      database_.execute("pragma foreign_keys = on", Rules::Host);
    } catch (...) {
      database_.abandon();  // It would let through what it must refuse.
    }
  }
  ForeignKeysOff(const ForeignKeysOff&) = delete;
  ForeignKeysOff& operator=(const ForeignKeysOff&) = delete;

 private:
  Database& database_;
  bool wasOn_ = false;
};

// Pages that a copy has read are dropped next, and what it has written is looked at by the checks:
// with SQLite's own 2 MB they are read twice, and written before the end.
class LargeCache {
 public:
  explicit LargeCache(Database& database) : database_(database) {
    Statement setting = database.prepare("pragma cache_size", Rules::Host);
    Execution execution(setting);
    if (execution.step()) before_ = execution.column(0).integer;
    execution.finish();
    database.execute(str("pragma cache_size = -", kCacheBytes / 1024), Rules::Host);
  }
  ~LargeCache() {
    try {
      database_.execute(str("pragma cache_size = ", before_), Rules::Host);
    } catch (...) {  // It is slower or larger than it was, and nothing else.
    }
  }
  LargeCache(const LargeCache&) = delete;
  LargeCache& operator=(const LargeCache&) = delete;

 private:
  Database& database_;
  std::int64_t before_ = -2000;
};

class Ticking {
 public:
  Ticking(Database& database, std::function<void(std::uint64_t)> tick) : database_(database) {
    database.useTick(std::move(tick));
  }
  ~Ticking() { database_.useTick({}); }
  Ticking(const Ticking&) = delete;
  Ticking& operator=(const Ticking&) = delete;

 private:
  Database& database_;
};

std::int64_t countRows(Database& database, std::string_view table) {
  Statement count =
      database.prepare(str("SELECT count(*) FROM ", quotedName(table)), Rules::Migration);
  Execution execution(count);
  return execution.step() ? execution.column(0).integer : 0;
}

// By child, in lower case, and parent: how many rows are without it.
using Dangling = std::map<std::pair<std::string, std::string>, std::int64_t>;

Dangling countDangling(Database& database) {
  Dangling dangling;
  Statement check = database.prepare("PRAGMA foreign_key_check", Rules::Migration);
  Execution rows(check);
  while (rows.step()) ++dangling[{lowerCase(textOf(rows, 0)), lowerCase(textOf(rows, 2))}];
  return dangling;
}

// Some rows have no parent, and nobody knows yet whether that was so before.
struct DanglingFound {};

class Runner {
 public:
  Runner(Database& database, std::string_view sql, const RunnerOptions& options)
      : database_(database), sql_(sql), options_(options), begin_(Clock::now()) {
    progress_.statements = statementsOf(sql).size();
    for (const Token& token : tokensOf(sql)) {
      if (std::string name = token.name(); !name.empty()) named_.insert(std::move(name));
    }
  }

  // Null: not known yet.
  MigrationResult run(const Dangling* danglingBefore) {
    danglingBefore_ = danglingBefore;
    try {
      database_.execute("begin immediate", Rules::Host);
      MigrationResult result = carryOut();
      database_.execute("commit", Rules::Host);
      result.elapsed = elapsed();
      return result;
    } catch (...) {
      database_.rollbackOrAbandon();
      throw;
    }
  }

 private:
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin_);
  }

  void report(std::uint64_t rows) {
    if (!options_.progress) return;
    progress_.rows = rows;
    progress_.elapsed = elapsed();
    options_.progress(progress_);
  }

  MigrationResult carryOut() {
    if (options_.begun) options_.begun(database_);
    MigrationResult result;
    result.tables = countBefore();
    executeAll();
    if (options_.data) options_.data(database_);
    progress_.statement = progress_.statements + 1;
    progress_.sql = {};
    report(0);
    checkForeignKeys();
    countAfter(result.tables);
    if (options_.wanted != nullptr) compareSchema();
    if (options_.checked) options_.checked(database_);
    return result;
  }

  bool concerns(std::string_view table) const {
    return options_.data || named_.contains(lowerCase(table));
  }

  std::vector<MigratedTable> countBefore() {
    std::vector<MigratedTable> tables;
    for (const TableShape& table : readSchema(database_).tables) {
      if (!concerns(table.name)) continue;
      tables.push_back(
          {.name = table.name, .was = table.name, .rowsBefore = countRows(database_, table.name)});
    }
    return tables;
  }

  // Errors say which statement it was.
  template <typename Action>
  auto inStatement(Action&& action) {
    try {
      return action();
    } catch (const Error& error) {
      const std::string message = str("statement ", progress_.statement, " of ",
                                      progress_.statements, ": ", error.message());
      if (error.detail() == nullptr) throwError(error.code(), message);
      throwError(error.code(), message, *error.detail());
    }
  }

  void executeAll() {
    std::size_t at = 0;
    // One by one: what a later one is about may not be there yet.
    for (progress_.statement = 1;; ++progress_.statement) {
      const std::size_t begin = at;
      auto statement =
          inStatement([&] { return database_.tryPrepareNext(sql_, at, Rules::Migration); });
      if (!statement) return;
      progress_.sql = sql_.substr(begin, at - begin);
      report(0);
      inStatement([&] { execute(*statement); });
    }
  }

  void execute(Statement& statement) {
    const Ticking ticking(database_, [this](std::uint64_t rows) { report(rows); });
    try {
      statement.run();
    } catch (const ConstraintViolation& violation) {
      throw explained(database_, statement.sql(), violation);
    }
  }

  // Children of what the text names, and all that it names.
  std::vector<std::string> tablesToCheck() {
    std::vector<std::string> tables;
    for (const TableShape& table : readSchema(database_).tables) {
      bool isConcerned = concerns(table.name);
      forEachRow(database_, "select \"table\" from pragma_foreign_key_list(?1)", table.name,
                 [&](const Execution& row) { isConcerned |= concerns(textOf(row, 0)); });
      if (isConcerned) tables.push_back(table.name);
    }
    return tables;
  }

  void checkForeignKeys() {
    std::string complaints;
    for (const std::string& table : tablesToCheck()) {
      for (const MissingParents& missing : findMissingParents(database_, table)) {
        if (danglingBefore_ == nullptr) throw DanglingFound();
        const std::int64_t before = rowsBefore(missing);
        if (missing.rows <= before) continue;
        complaints += str("\n  ", missing.child, ": ", missing.rows,
                          missing.rows == 1 ? " row has" : " rows have", " no row in ",
                          missing.parent, before == 0 ? "" : str(", ", before, " of them before"),
                          missing.sample.empty() ? "" : str(" (", missing.sample, ')'));
      }
    }
    if (complaints.empty()) return;
    throw conflict(str("rows would be left without what they refer to:", complaints,
                       "\ndelete these rows, or let them refer to others, and try again"));
  }

  std::int64_t rowsBefore(const MissingParents& missing) const {
    const auto found = danglingBefore_->find(
        {lowerCase(oldNameOf(missing.child)), lowerCase(oldNameOf(missing.parent))});
    return found == danglingBefore_->end() ? 0 : found->second;
  }

  std::string oldNameOf(const std::string& table) const {
    for (const Rename& rename : options_.renames) {
      if (rename.column.empty() && isSameName(rename.table, table)) return rename.was;
    }
    return table;
  }

  void countAfter(std::vector<MigratedTable>& tables) {
    const Schema schema = readSchema(database_);
    const auto isThere = [&schema](std::string_view name) {
      return std::ranges::any_of(
          schema.tables, [name](const TableShape& table) { return isSameName(table.name, name); });
    };
    std::string complaints;
    std::string allowing;
    for (MigratedTable& table : tables) {
      for (const Rename& rename : options_.renames) {
        const bool isIt = rename.column.empty() && isSameName(rename.was, table.was);
        if (isIt && !isThere(table.was)) table.name = rename.table;
      }
      table.isGone = !isThere(table.name);
      if (!table.isGone) table.rowsAfter = countRows(database_, table.name);
      if (table.rowsAfter >= table.rowsBefore || mayLose(table.was)) continue;
      complaints += str("\n  ", table.was, ": ", table.rowsBefore, " rows before, ",
                        table.isGone ? "the table is gone" : str(table.rowsAfter, " after"));
      allowing += str(" --allow-loss ", table.was);
    }
    if (complaints.empty()) return;
    throw conflict(str("rows would be lost:", complaints, "\nallow it by name,", allowing,
                       ", or change the migration"));
  }

  bool mayLose(std::string_view table) const {
    return std::ranges::any_of(
        options_.mayLose, [table](const std::string& name) { return isSameName(name, table); });
  }

  void compareSchema() {
    const std::vector<std::string> differences =
        differencesBetween(*options_.wanted, readSchema(database_));
    if (differences.empty()) return;
    std::string message = "the SQL does not lead to the schema that the migration is for";
    for (const std::string& difference : differences) message += str("\n  ", difference);
    throw conflict(std::move(message));
  }

  Database& database_;
  const std::string_view sql_;
  const RunnerOptions& options_;
  const Clock::time_point begin_;
  MigrationProgress progress_;
  Names named_;
  const Dangling* danglingBefore_ = nullptr;
};

}  // namespace

Limits limitsForMigration(Limits limits) noexcept {
  limits.sqliteBytesMax = std::max<std::uint64_t>(limits.sqliteBytesMax, 1ull << 30);
  limits.temporaryBytesMax = std::numeric_limits<std::uint64_t>::max();
  limits.valueBytesMax = std::numeric_limits<std::int32_t>::max();
  limits.sqlBytesMax = 64u << 20;
  return limits;
}

MigrationResult runMigration(Database& database, std::string_view sql,
                             const RunnerOptions& options) {
  SS_CHECK(!database.inTransaction(), "a migration inside of a transaction");
  const ForeignKeysOff off(database);
  const LargeCache cache(database);
  Runner runner(database, sql, options);
  try {
    return runner.run(nullptr);
  } catch (const DanglingFound&) {
    const Dangling before = countDangling(database);
    return runner.run(&before);
  }
}

}  // namespace schemascript
