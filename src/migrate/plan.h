// From one schema to another: which statements turn a database of the first into one of the second,
// what each of them costs, and why it is there.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/schema.h"

namespace schemascript {

enum class StepKind : std::uint8_t {
  Safe,     // Loses nothing, whatever the rows are, and takes no longer for more of them, but for
            // indexes and full-text search, which read them.
  Rebuild,  // Copies a table. Rows that the new one does not take are an error; nothing is lost.
  Loss,  // Rows or values are gone afterwards. They are kept in tables of our own for a rollback.
};

std::string_view nameOf(StepKind kind) noexcept;

struct MigrationStep {
  StepKind kind = StepKind::Safe;
  std::string subject;  // `users`, `users.email`
  std::string why;      // One sentence, without its full stop.
  std::vector<std::string> statements;
  // What is gone afterwards: `users`, `users.email`; tables by the names that they have then.
  std::vector<std::string> losses{};
};

// What `.was("old")` says: an old name is never guessed.
struct Rename {
  std::string table;   // As it is called now.
  std::string column;  // The same; empty: the table itself was called otherwise.
  std::string was;
};

// What is to be found in a database beside its schema: what an earlier plan has kept there.
struct Kept {
  // The CREATE statements of the tables that hold it, and their names.
  std::vector<std::string> statements;
  std::vector<std::string> tables;
  // Of a column: an expression over the table that lacks it, and whether a row has such a value. By
  // the names of table and column in lower case.
  struct Value {
    std::string expression;
    std::string condition;
  };
  std::map<std::pair<std::string, std::string>, Value> values;
  // Values that were NULL, and are the column's default now: a condition. By the same names.
  std::map<std::pair<std::string, std::string>, std::string> nulls;
  // Values that another type could not hold as they were: an expression, NULL for all others. By
  // the same names.
  std::map<std::pair<std::string, std::string>, std::string> converted;
  // Rows of tables: by the table's name in lower case, the table that has them.
  std::map<std::string, std::string> rows;
};

struct PlanOptions {
  std::span<const Rename> renames{};
  // What a column or a table that is new gets, instead of nothing.
  const Kept* kept = nullptr;
  // Of the names of the tables in which is kept what is lost, such as
  // `__schemascript_kept_20261123_`. Empty: it is not kept.
  std::string keepPrefix{};
};

struct Plan {
  std::vector<MigrationStep> steps;
  Kept kept;  // What they keep, for a plan the other way round.

  bool losesSomething() const noexcept;
};

// The statements are for a connection without foreign keys, in a transaction, one after the other.
// SQLite itself has carried them out, on an empty database with the first schema, and the result
// was the second one. A rename counts where the old name is there and the new one is not; else it
// was done before. Throws InvalidRequest for a schema that SQLite does not take.
Plan planMigration(const Schema& from, const Schema& to, const PlanOptions& options = {});

// There, and back with the rows and values that are lost on the way there.
struct Migration {
  std::vector<MigrationStep> up;
  std::vector<MigrationStep> down;
};
Migration makeMigration(const Schema& from, const Schema& to, std::span<const Rename> renames,
                        std::string keepPrefix);

// Renames the other way round.
std::vector<Rename> reversed(std::span<const Rename> renames);

// What the steps lose, each once.
std::vector<std::string> lossesOf(std::span<const MigrationStep> steps);

// As a file that people read and change: a comment for each step, and its statements.
std::string renderSteps(std::span<const MigrationStep> steps);

}  // namespace schemascript
