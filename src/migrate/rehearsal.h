// What migrations do to the rows of a database, tried on a copy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "database/backup.h"
#include "database/database.h"
#include "migrate/plan.h"

namespace schemascript {

// A copy of a database file, beside it, which is gone at the end of this object. Copies that a
// process has left that was killed are removed, too.
class RehearsalCopy {
 public:
  // Throws Unavailable, also when there is no room for it, and InvalidRequest as backUp() does.
  explicit RehearsalCopy(const std::filesystem::path& database,
                         const BackupProgress& progress = {});
  ~RehearsalCopy();
  RehearsalCopy(const RehearsalCopy&) = delete;
  RehearsalCopy& operator=(const RehearsalCopy&) = delete;

  const std::filesystem::path& file() const noexcept { return file_; }

 private:
  void remove() const noexcept;

  const std::filesystem::path file_;
};

struct TableChange {
  std::string was;   // As it is called before.
  std::string name;  // As it is called afterwards; empty: it is gone.
  std::int64_t rowsBefore = 0;
  std::int64_t rowsAfter = 0;
  // Rows that are there before and afterwards, by their key, and hold something else; of columns
  // that are there before and afterwards. -1: there is no key to tell them by.
  std::int64_t rowsChanged = 0;
  std::string sample;  // The keys of some: `id 3, id 7`.
};

struct Loss {
  std::string what;       // `users`, `users.email`: as it is called before.
  std::string name;       // The same, with the table as it is called afterwards.
  std::int64_t rows = 0;  // That are gone, or that had a value.
};

struct Comparison {
  std::vector<TableChange> tables;
  std::vector<Loss> losses;
};

// Compares the tables for which `concerns` holds, by their names in `before`; `renames` are those
// of one migration after the other. Neither database is changed. Throws LimitExceeded after an
// interrupt of either.
Comparison compareRows(Database& before, Database& after,
                       std::span<const std::vector<Rename>> renames,
                       const std::function<bool(std::string_view table)>& concerns);

}  // namespace schemascript
