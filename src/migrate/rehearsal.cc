#include "migrate/rehearsal.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/units.h"
#include "migrate/refusal.h"
#include "migrate/rows.h"
#include "migrate/schema.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".rehearsal-";
constexpr std::size_t kSamples = 5;

void removeDatabase(const fs::path& file) noexcept {
  std::error_code ignored;
  for (const char* const suffix : {"", "-journal", "-wal", "-shm"}) {
    fs::remove(fs::path(file.native() + suffix), ignored);
  }
}

// Of this process, which may have several: `app.db.rehearsal-123-1`.
fs::path newName(const fs::path& database) {
  static std::atomic<unsigned> number = 0;
  return database.native() + str(kSuffix, ::getpid(), '-', ++number);
}

// `app.db.rehearsal-123-1`, of a process that is no more.
void removeLeftovers(const fs::path& database) {
  const std::string prefix = database.filename().string() + std::string(kSuffix);
  std::error_code ignored;
  std::vector<fs::path> left;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::absolute(database).parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    int process = 0;
    const char* const end = name.data() + name.size();
    const auto [rest, failure] = std::from_chars(name.data() + prefix.size(), end, process);
    if (failure != std::errc{} || rest == end || *rest != '-' || process <= 0) continue;
    if (::kill(process, 0) != 0 && errno == ESRCH) left.push_back(entry.path());
  }
  for (const fs::path& each : left) removeDatabase(each);
}

void refuseWithoutRoom(const fs::path& database) {
  std::error_code ignored;
  const std::uintmax_t bytes = fs::file_size(database, ignored);
  const fs::space_info space = fs::space(fs::absolute(database).parent_path(), ignored);
  if (ignored || space.available > bytes) return;
  throw unavailable(str("there is no room to rehearse on a copy of ", database.string(),
                        ", which has ", formatSize(bytes), ": free some and try again"));
}

bool isSame(const ValueView& one, const ValueView& other) {
  if (one.kind != other.kind) return false;
  switch (one.kind) {
    case ValueKind::Null:
      return true;
    case ValueKind::Integer:
      return one.integer == other.integer;
    case ValueKind::Real:
      return one.real == other.real;
    default:
      return one.bytes == other.bytes;
  }
}

std::string columnAfter(std::string_view tableAfter, const std::string& column,
                        std::span<const Rename> renames) {
  for (const Rename& rename : renames) {
    if (isSameName(rename.table, tableAfter) && !rename.column.empty() &&
        isSameName(rename.was, column)) {
      return rename.column;
    }
  }
  return column;
}

std::string tableAfter(const std::string& table, std::span<const Rename> renames) {
  for (const Rename& rename : renames) {
    if (rename.column.empty() && isSameName(rename.was, table)) return rename.table;
  }
  return table;
}

struct ColumnNames {
  std::string was;
  std::string name;
};

class TableComparison {
 public:
  TableComparison(Database& before, Database& after, std::string table,
                  std::span<const std::vector<Rename>> renames)
      : before_(before), after_(after) {
    change_.was = table;
    std::vector<ColumnNames> columns;
    for (const auto& [name, isComputed] : columnsOf(before, table)) {
      if (!isComputed) columns.push_back({name, name});
    }
    for (const std::vector<Rename>& each : renames) {
      table = tableAfter(table, each);
      for (ColumnNames& column : columns) column.name = columnAfter(table, column.name, each);
    }
    change_.name = table;
    columns_ = std::move(columns);
  }

  void addTo(Comparison& comparison) {
    change_.rowsBefore = count(before_, str("SELECT count(*) FROM ", quotedName(change_.was)));
    const auto columns = columnsOf(after_, change_.name);
    if (columns.empty()) {
      change_.name.clear();
      if (change_.rowsBefore != 0)
        comparison.losses.push_back({change_.was, change_.was, change_.rowsBefore});
      comparison.tables.push_back(std::move(change_));
      return;
    }
    change_.rowsAfter = count(after_, str("SELECT count(*) FROM ", quotedName(change_.name)));
    if (change_.rowsAfter < change_.rowsBefore) {
      comparison.losses.push_back(
          {change_.was, change_.name, change_.rowsBefore - change_.rowsAfter});
    }
    std::vector<ColumnNames> common;
    for (const ColumnNames& column : columns_) {
      const bool isThere = std::ranges::any_of(
          columns, [&column](const auto& each) { return isSameName(each.first, column.name); });
      if (isThere) {
        common.push_back(column);
        continue;
      }
      const std::int64_t rows = count(before_, str("SELECT count(", quotedName(column.was),
                                                   ") FROM ", quotedName(change_.was)));
      if (rows != 0) {
        comparison.losses.push_back(
            {str(change_.was, '.', column.was), str(change_.name, '.', column.name), rows});
      }
    }
    countChanged(common);
    comparison.tables.push_back(std::move(change_));
  }

 private:
  static std::vector<std::pair<std::string, bool>> columnsOf(Database& database,
                                                             std::string_view table) {
    std::vector<std::pair<std::string, bool>> columns;
    forEachRow(database, "select name, hidden from pragma_table_xinfo(?1)", table,
               [&columns](const Execution& row) {
                 columns.emplace_back(textOf(row, 0), row.column(1).integer != 0);
               });
    return columns;
  }

  static std::int64_t count(Database& database, const std::string& sql) {
    Statement statement = database.prepare(sql, Rules::Migration);
    Execution execution(statement);
    return execution.step() ? execution.column(0).integer : 0;
  }

  std::string nameAfter(const std::string& was) const {
    for (const ColumnNames& column : columns_) {
      if (isSameName(column.was, was)) return column.name;
    }
    return was;  // The rowid.
  }

  // Looks each row up by its key.
  void countChanged(std::span<const ColumnNames> common) {
    const std::vector<std::string> key = keyOf(before_, change_.was);
    std::vector<std::string> keyAfter;
    for (const std::string& name : key) keyAfter.push_back(nameAfter(name));
    if (key.empty() || common.empty() || keyOf(after_, change_.name) != keyAfter) {
      change_.rowsChanged = -1;
      return;
    }
    std::string was;
    std::string is;
    std::string condition;
    for (std::size_t i = 0; i < key.size(); ++i) {
      was += str(quotedName(key[i]), ", ");
      condition += str(i == 0 ? "" : " AND ", quotedName(keyAfter[i]), " IS ?");
    }
    for (std::size_t i = 0; i < common.size(); ++i) {
      was += str(i == 0 ? "" : ", ", quotedName(common[i].was));
      is += str(i == 0 ? "" : ", ", quotedName(common[i].name));
    }
    Statement all =
        before_.prepare(str("SELECT ", was, " FROM ", quotedName(change_.was)), Rules::Migration);
    Statement one =
        after_.prepare(str("SELECT ", is, " FROM ", quotedName(change_.name), " WHERE ", condition),
                       Rules::Migration);
    Execution rows(all);
    while (rows.step()) {
      std::vector<ValueView> values;
      for (std::size_t i = 0; i < key.size(); ++i) {
        values.push_back(rows.column(static_cast<int>(i)));
      }
      Execution row(one, values);
      if (!row.step()) continue;
      for (std::size_t i = 0; i < common.size(); ++i) {
        const int column = static_cast<int>(i);
        if (isSame(rows.column(static_cast<int>(key.size()) + column), row.column(column)))
          continue;
        addChanged(renderKey(key, rows));
        break;
      }
    }
  }

  void addChanged(const std::string& key) {
    const auto rows = static_cast<std::size_t>(++change_.rowsChanged);
    if (rows <= kSamples) change_.sample += str(rows == 1 ? "" : ", ", key);
    if (rows == kSamples + 1) change_.sample += ", ...";
  }

  Database& before_;
  Database& after_;
  TableChange change_;
  std::vector<ColumnNames> columns_;
};

}  // namespace

RehearsalCopy::RehearsalCopy(const fs::path& database, const BackupProgress& progress)
    : file_(newName(database)) {
  removeLeftovers(database);
  refuseWithoutRoom(database);
  try {
    backUp(database, file_, Replace::Yes, progress);
  } catch (...) {
    remove();
    throw;
  }
}

RehearsalCopy::~RehearsalCopy() { remove(); }

void RehearsalCopy::remove() const noexcept { removeDatabase(file_); }

Comparison compareRows(Database& before, Database& after,
                       std::span<const std::vector<Rename>> renames,
                       const std::function<bool(std::string_view table)>& concerns) {
  Comparison comparison;
  for (const TableShape& table : readSchema(before).tables) {
    if (!concerns(table.name)) continue;
    TableComparison(before, after, table.name, renames).addTo(comparison);
  }
  return comparison;
}

}  // namespace schemascript
