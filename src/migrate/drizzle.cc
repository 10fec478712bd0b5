#include "migrate/drizzle.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <ctime>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "migrate/definition.h"
#include "migrate/history.h"
#include "migrate/migrator.h"
#include "migrate/plan.h"
#include "migrate/rows.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kBreakpoint = "--> statement-breakpoint";
constexpr std::size_t kNameMax = 60;

[[noreturn]] void cannotRead(const fs::path& file, std::string_view why) {
  throw invalidRequest(str("cannot read ", file.string(), ": ", why));
}

// Git may have changed its line ends.
std::string readSql(const fs::path& file) {
  std::string sql = readFile(file);
  std::erase(sql, '\r');
  return sql;
}

class JournalReader {
 public:
  JournalReader(const fs::path& folder, fs::path file) : folder_(folder), file_(std::move(file)) {
    boost::system::error_code invalid;
    value_ = json::parse(readFile(file_), invalid);
    if (invalid || !value_.is_object()) cannotRead(file_, "it is not JSON");
  }

  std::vector<DrizzleMigration> read() const {
    const json::object& journal = value_.get_object();
    const json::value* const dialect = journal.if_contains("dialect");
    if (dialect != nullptr && *dialect != "sqlite" && *dialect != "turso") {
      cannotRead(file_,
                 str("its migrations are for ", json::serialize(*dialect), ", not for SQLite"));
    }
    const json::value* const entries = journal.if_contains("entries");
    if (entries == nullptr || !entries->is_array()) cannotRead(file_, "it has no list of entries");
    std::vector<DrizzleMigration> migrations;
    for (const json::value& entry : entries->get_array()) migrations.push_back(readEntry(entry));
    return migrations;
  }

 private:
  DrizzleMigration readEntry(const json::value& entry) const {
    const json::object* const members = entry.if_object();
    const json::value* const tag = members == nullptr ? nullptr : members->if_contains("tag");
    const json::value* const when = members == nullptr ? nullptr : members->if_contains("when");
    if (tag == nullptr || !tag->is_string()) cannotRead(file_, "an entry has no tag");
    const std::string name(tag->get_string());
    if (when == nullptr || !when->is_int64()) {
      cannotRead(file_, str("the entry ", name, " has no time"));
    }
    // The name of a file, and no way out of the folder.
    if (name.empty() || fs::path(name).filename() != name) {
      cannotRead(file_, str("the tag ", name, " is no name of a file"));
    }
    const fs::path file = folder_ / str(name, ".sql");
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) {
      throw invalidRequest(
          str("there is no ", file.string(), ", which ", file_.string(), " names"));
    }
    return {.name = name, .file = file, .when = when->get_int64(), .sql = readSql(file)};
  }

  const fs::path& folder_;
  const fs::path file_;
  json::value value_;
};

// Of `20260102030405_name`: its time; nothing for other names.
std::optional<std::int64_t> timeInName(std::string_view name) {
  constexpr std::size_t kDigits = 14;
  const std::string digits(name.substr(0, kDigits));
  const auto isDigit = [](char each) { return each >= '0' && each <= '9'; };
  if (name.size() <= kDigits || name[kDigits] != '_' || !std::ranges::all_of(digits, isDigit)) {
    return std::nullopt;
  }
  const auto number = [&digits](std::size_t at, std::size_t size) {
    return std::stoi(digits.substr(at, size));
  };
  std::tm time{};
  time.tm_year = number(0, 4) - 1900;
  time.tm_mon = number(4, 2) - 1;
  time.tm_mday = number(6, 2);
  time.tm_hour = number(8, 2);
  time.tm_min = number(10, 2);
  time.tm_sec = number(12, 2);
  return std::int64_t{timegm(&time)} * 1'000;
}

std::vector<DrizzleMigration> readFolders(const fs::path& folder) {
  std::vector<DrizzleMigration> migrations;
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure)) {
    const fs::path file = entry.path() / "migration.sql";
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) continue;
    const std::string name = entry.path().filename().string();
    const auto when = timeInName(name);
    if (!when) cannotRead(entry.path(), "its name does not begin with a time");
    migrations.push_back({.name = name, .file = file, .when = *when, .sql = readSql(file)});
  }
  if (failure) cannotRead(folder, failure.message());
  std::ranges::sort(migrations, {}, &DrizzleMigration::name);
  return migrations;
}

// Which tables and columns have other names behind statements than before them.
class RenameReader {
 public:
  void read(std::string_view statement) {
    const std::vector<PlacedToken> tokens = placedTokensOf(statement);
    const auto isWord = [&tokens](std::size_t at, std::string_view word) {
      return at < tokens.size() && tokens[at].token.isWord(word);
    };
    if (!isWord(0, "alter") || !isWord(1, "table") || !isWord(3, "rename")) return;
    const auto name = [&tokens](std::size_t at) { return unquotedText(tokens[at].text); };
    if (isWord(4, "to") && tokens.size() > 5) {
      addTable(name(2), name(5));
      return;
    }
    const std::size_t at = isWord(4, "column") ? 5 : 4;
    if (isWord(at + 1, "to") && tokens.size() > at + 2) addColumn(name(2), name(at), name(at + 2));
  }

  // Those that lead from one schema to the other: not of a table that is made anew meanwhile.
  std::vector<Rename> between(const Schema& from, const Schema& to) const {
    std::vector<Rename> renames;
    for (const Rename& rename : renames_) {
      const std::string before = rename.column.empty() ? rename.was : nameBefore(rename.table);
      const std::string column = rename.column.empty() ? "" : rename.was;
      const bool was = has(from, before, column) && !has(from, rename.table, rename.column);
      const bool is =
          has(to, rename.table, rename.column) &&
          (rename.column.empty() ? !has(to, rename.was, "") : !has(to, rename.table, rename.was));
      if (was && is) renames.push_back(rename);
    }
    return renames;
  }

 private:
  void addTable(const std::string& was, const std::string& name) {
    bool isKnown = false;
    for (Rename& rename : renames_) {
      if (!isSameName(rename.table, was)) continue;
      rename.table = name;
      isKnown = isKnown || rename.column.empty();
    }
    if (!isKnown) renames_.push_back({name, "", was});
  }

  void addColumn(const std::string& table, const std::string& was, const std::string& name) {
    for (Rename& rename : renames_) {
      if (!isSameName(rename.table, table) || !isSameName(rename.column, was)) continue;
      rename.column = name;
      return;
    }
    renames_.push_back({table, name, was});
  }

  std::string nameBefore(const std::string& table) const {
    for (const Rename& rename : renames_) {
      if (rename.column.empty() && isSameName(rename.table, table)) return rename.was;
    }
    return table;
  }

  // Of a column unless it is empty.
  static bool has(const Schema& schema, std::string_view table, std::string_view column) {
    return std::ranges::any_of(schema.tables, [&](const TableShape& each) {
      if (!isSameName(each.name, table)) return false;
      return column.empty() || std::ranges::any_of(each.columns, [&](const ColumnShape& one) {
               return isSameName(one.name, column);
             });
    });
  }

  std::vector<Rename> renames_;
};

// The statements of a migration as we carry them out.
std::vector<std::string> statementsOf(const DrizzleMigration& migration) {
  std::vector<std::string> statements;
  std::string_view left = migration.sql;
  while (!left.empty()) {
    // What stands between two breakpoints may lack its semicolon.
    const std::size_t end = left.find(kBreakpoint);
    for (const std::string_view statement : schemascript::statementsOf(left.substr(0, end))) {
      const std::vector<Token> tokens = tokensOf(statement);
      if (tokens.empty() || (tokens.size() == 1 && tokens[0].isSymbol(';'))) continue;
      if (tokens.size() > 1 && tokens[0].isWord("pragma")) {
        if (tokens[1].name() == "foreign_keys" || tokens[1].name() == "defer_foreign_keys")
          continue;
        throw invalidRequest(str(migration.file.string(), ": PRAGMA ", tokens[1].text,
                                 " cannot be a part of a migration; take it out"));
      }
      statements.push_back(str(statement, tokens.back().isSymbol(';') ? "" : ";"));
    }
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + kBreakpoint.size());
  }
  return statements;
}

std::string idOf(const DrizzleMigration& migration) {
  std::string name = migration.name;
  // The newer names begin with the time already.
  if (timeInName(name)) name.erase(0, name.find('_') + 1);
  for (char& letter : name) {
    const bool isPlain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                         (letter >= '0' && letter <= '9') || letter == '-';
    if (!isPlain) letter = '_';
  }
  if (name.empty()) name = "migration";
  return newMigrationId(name.substr(0, kNameMax), std::chrono::system_clock::time_point(
                                                      std::chrono::milliseconds(migration.when)));
}

// One after the other, on a database that holds nothing but what they put into it.
class Conversion {
 public:
  Conversion() {
    database_.execute("pragma foreign_keys = off", Rules::Host);
    schema_ = readSchema(database_);
  }

  MigrationFiles convert(const DrizzleMigration& migration, const MigrationFiles* parent) {
    RenameReader renames;
    std::string up = str("-- From ", migration.file.filename().string(), " of drizzle-kit.\n");
    for (const std::string& statement : statementsOf(migration)) {
      carryOut(migration, statement);
      renames.read(statement);
      up += str('\n', statement, '\n');
    }
    const Schema from = std::exchange(schema_, readSchema(database_));
    const std::vector<Rename> names = renames.between(from, schema_);
    return makeGiven(parent, from, schema_, {.id = idOf(migration), .renames = names},
                     std::move(up));
  }

 private:
  void carryOut(const DrizzleMigration& migration, std::string_view statement) {
    try {
      std::size_t at = 0;
      while (auto each = database_.tryPrepareNext(statement, at, Rules::Migration)) each->run();
    } catch (const Error& error) {
      throw invalidRequest(str(migration.file.string(), " cannot be carried out: ", error.message(),
                               "\n  ", statement));
    }
  }

  Database database_{DatabaseOptions{}};
  Schema schema_;
};

// How many of the migrations the database has seen; nothing without a record.
std::optional<std::size_t> countSeen(Database& database,
                                     const std::vector<DrizzleMigration>& migrations) {
  if (!tryFindKind(database, kDrizzleTable)) return std::nullopt;
  std::set<std::int64_t> seen;
  forEachRow(database,
             str("select cast(created_at as integer) from ", kDrizzleTable, " where ?1 = ''"), "",
             [&seen](const Execution& row) { seen.insert(row.column(0).integer); });
  std::size_t count = 0;
  const DrizzleMigration* skipped = nullptr;
  for (const DrizzleMigration& migration : migrations) {
    if (seen.erase(migration.when) == 0) {
      if (skipped == nullptr) skipped = &migration;
      continue;
    }
    if (skipped != nullptr) {
      throw conflict(str("the database has seen ", migration.name, ", and not ", skipped->name,
                         ", which comes before it: drizzle-orm has skipped it, and would go on "
                         "doing so; carry it out by hand, and add its time, ",
                         skipped->when, ", to ", kDrizzleTable));
    }
    ++count;
  }
  if (!seen.empty()) {
    throw conflict(str("the database has seen ", seen.size(),
                       seen.size() == 1 ? " migration" : " migrations",
                       " that the folder has not, the first of the time ", *seen.begin(),
                       "; bring the files back"));
  }
  return count;
}

class Adoption {
 public:
  explicit Adoption(const DrizzleOptions& options)
      : options_(options),
        source_(readDrizzleFolder(options.from)),
        migrations_(convertDrizzle(source_)) {}

  DrizzleReport run() {
    compareFolder();
    std::error_code ignored;
    if (options_.database.empty() || !fs::exists(options_.database, ignored)) {
      write();
      for (const MigrationFiles& each : migrations_) report_.pending.push_back(each.id);
      return report_;
    }
    Database database({.file = options_.database, .limits = limitsForMigration({})});
    const std::vector<const MigrationFiles*> unrecorded = findUnrecorded(database);
    write();
    recordCarriedOut(database, options_.database, unrecorded);
    for (const MigrationFiles* each : unrecorded) report_.recorded.push_back(each->id);
    return report_;
  }

 private:
  // What is there already has to be the beginning of it, and nothing has to come behind unless all
  // of it is there.
  void compareFolder() {
    std::error_code ignored;
    if (fs::exists(options_.folder / "meta" / "_journal.json", ignored)) {
      throw invalidRequest(str(options_.folder.string(),
                               " is drizzle-kit's; name another folder for what comes of it, "
                               "--dir DIR"));
    }
    const MigrationFolder folder = MigrationFolder::read(options_.folder);
    present_ = 0;
    for (const MigrationFiles& each : migrations_) {
      const MigrationFiles* const present = folder.tryFind(each.id);
      if (present == nullptr) break;
      if (present->snapshotHash != each.snapshotHash || present->hash != each.hash) {
        throw conflict(str((options_.folder / each.id).string(), " is not what comes of ",
                           source_[present_].file.string(),
                           "; one of the two was changed: bring it back as it was"));
      }
      ++present_;
    }
    if (present_ < migrations_.size() && folder.all().size() > present_) {
      throw conflict(str(options_.folder.string(), " has migrations that ", options_.from.string(),
                         " has not; go on with one of the two, or name another folder, --dir DIR"));
    }
  }

  void write() {
    for (std::size_t i = present_; i < migrations_.size(); ++i) {
      writeMigration(options_.folder, migrations_[i]);
      report_.written.push_back(migrations_[i].id);
    }
  }

  std::vector<const MigrationFiles*> findUnrecorded(Database& database) {
    const auto seen = countSeen(database, source_);
    if (!seen) {
      if (!readSchema(database).tables.empty()) {
        throw conflict(str(options_.database.string(),
                           " has tables, and no record of drizzle-orm's in ", kDrizzleTable,
                           "; if the record has another name, give it that one, and if there is "
                           "none, convert without --db and say where the database is with "
                           "schemascript migrate --baseline ID"));
      }
    }
    const std::vector<AppliedMigration> history = readHistory(database);
    std::vector<const MigrationFiles*> unrecorded;
    for (std::size_t i = 0; i < migrations_.size(); ++i) {
      const bool isRecorded =
          std::ranges::find(history, migrations_[i].id, &AppliedMigration::id) != history.end();
      if (isRecorded) continue;
      if (i < seen.value_or(0)) {
        unrecorded.push_back(&migrations_[i]);
      } else {
        report_.pending.push_back(migrations_[i].id);
      }
    }
    if (!unrecorded.empty() && history.size() + unrecorded.size() != *seen) {
      throw conflict(str(options_.database.string(),
                         " was migrated by drizzle-orm and by this "
                         "program: ",
                         unrecorded.front()->id, " came by the first behind ", history.back().id,
                         " of the second"));
    }
    return unrecorded;
  }

  const DrizzleOptions& options_;
  const std::vector<DrizzleMigration> source_;
  const std::vector<MigrationFiles> migrations_;
  std::size_t present_ = 0;  // How many of them the folder has.
  DrizzleReport report_;
};

}  // namespace

std::vector<DrizzleMigration> readDrizzleFolder(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw invalidRequest(str("there is no folder ", folder.string()));
  }
  const fs::path journal = folder / "meta" / "_journal.json";
  const bool hasJournal = fs::is_regular_file(journal, ignored);
  std::vector<DrizzleMigration> migrations =
      hasJournal ? JournalReader(folder, journal).read() : readFolders(folder);
  if (migrations.empty()) {
    throw invalidRequest(str(folder.string(),
                             " has no migrations of drizzle-kit: no meta/_journal.json that names "
                             "any, and no folders with a migration.sql"));
  }
  return migrations;
}

std::vector<MigrationFiles> convertDrizzle(const std::vector<DrizzleMigration>& migrations) {
  Conversion conversion;
  std::vector<MigrationFiles> converted;
  std::set<std::string> ids;
  for (const DrizzleMigration& migration : migrations) {
    converted.push_back(
        conversion.convert(migration, converted.empty() ? nullptr : &converted.back()));
    if (!ids.insert(converted.back().id).second) {
      throw invalidRequest(str("two migrations are called ", converted.back().id));
    }
  }
  return converted;
}

DrizzleReport adoptDrizzle(const DrizzleOptions& options) { return Adoption(options).run(); }

}  // namespace schemascript
