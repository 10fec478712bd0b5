// Folders as drizzle-kit writes them, and databases as drizzle-orm leaves them.
#include "migrate/drizzle.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "base/testing.h"
#include "migrate/history.h"
#include "migrate/migrator.h"
#include "migrate/testing.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

// 2026-01-02T03:04:05Z and 100 s later each.
constexpr std::int64_t kFirst = 1'767'323'045'000;
constexpr std::int64_t kBetween = 100'000;

struct Entry {
  std::string tag;
  std::string sql;
};

const Entry kUsers{"0000_fancy_hulk",
                   "CREATE TABLE `users` (\n\t`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,\n\t"
                   "`name` text NOT NULL\n);\n--> statement-breakpoint\n"
                   "CREATE UNIQUE INDEX `users_name_unique` ON `users` (`name`);"};
const Entry kAge{"0001_old_age", "ALTER TABLE `users` ADD `age` integer DEFAULT 0;"};
// As drizzle-kit rebuilds a table.
const Entry kRebuild{
    "0002_new_users",
    "PRAGMA foreign_keys=OFF;--> statement-breakpoint\n"
    "CREATE TABLE `__new_users` (`id` integer PRIMARY KEY NOT NULL, `name` text, `age` text);\n"
    "--> statement-breakpoint\n"
    "INSERT INTO `__new_users`(\"id\", \"name\", \"age\") SELECT \"id\", \"name\", \"age\" FROM "
    "`users`;--> statement-breakpoint\nDROP TABLE `users`;--> statement-breakpoint\n"
    "ALTER TABLE `__new_users` RENAME TO `users`;--> statement-breakpoint\n"
    "PRAGMA foreign_keys=ON"};
const Entry kRename{"0003_people",
                    "ALTER TABLE `users` RENAME TO `people`;--> statement-breakpoint\n"
                    "ALTER TABLE `people` RENAME COLUMN \"age\" TO \"years\""};

class Drizzle : public testing::Test {
 protected:
  Drizzle() { write({kUsers, kAge, kRebuild, kRename}); }

  fs::path from() const { return temporary_ / "drizzle"; }
  fs::path folder() const { return temporary_ / "migrations"; }
  fs::path file() const { return temporary_ / "app.db"; }

  void writeFile(const fs::path& path, const std::string& text) const {
    fs::create_directories((from() / path).parent_path());
    std::ofstream(from() / path, std::ios::binary) << text;
  }
  void write(const std::vector<Entry>& entries) const {
    std::string journal;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      journal += str(i == 0 ? "" : ",", R"({"idx":)", i, R"(,"version":"6","when":)", when(i),
                     R"(,"tag":")", entries[i].tag, R"(","breakpoints":true})");
      writeFile(str(entries[i].tag, ".sql"), entries[i].sql);
    }
    writeFile("meta/_journal.json",
              str(R"({"version":"7","dialect":"sqlite","entries":[)", journal, "]}"));
  }
  static std::int64_t when(std::size_t index) {
    return kFirst + kBetween * static_cast<std::int64_t>(index);
  }

  // What drizzle-orm's migrate() does, up to so many.
  void drizzle(std::size_t count) const {
    Database database({.file = file()});
    runAll(
        database,
        "CREATE TABLE IF NOT EXISTS `__drizzle_migrations` (id SERIAL PRIMARY KEY, hash text NOT "
        "NULL, created_at numeric)");
    const std::vector<DrizzleMigration> all = readDrizzleFolder(from());
    for (std::size_t i = countIn(database); i < count; ++i) {
      std::string sql = all[i].sql;
      if (!sql.ends_with(';')) sql += ';';
      runAll(database, sql);
      record(database, all[i].when);
    }
  }
  static void record(Database& database, std::int64_t when) {
    runAll(database,
           str("insert into __drizzle_migrations (hash, created_at) values ('x', ", when, ")"));
  }
  static std::size_t countIn(Database& database) {
    return static_cast<std::size_t>(
        std::stoi(rowsOf(database, "select count(*) from __drizzle_migrations")[0][0]));
  }
  void inDatabase(std::string_view sql) const {
    Database database({.file = file()});
    runAll(database, sql);
  }
  Rows rows(std::string_view sql) const {
    Database database({.file = file()});
    return rowsOf(database, sql);
  }

  DrizzleReport adopt(bool withDatabase = true) const {
    return adoptDrizzle(
        {.from = from(), .folder = folder(), .database = withDatabase ? file() : fs::path()});
  }
  void expectConflict(const std::string& message) const {
    expectError(ErrorCode::Conflict, message, [this] { adopt(); });
    EXPECT_FALSE(fs::exists(folder()));
  }
  MigratorOptions migrating() const {
    MigratorOptions options;
    options.database = file();
    options.folder = folder();
    return options;
  }

  const TemporaryFolder temporary_;
  const std::vector<std::string> ids_{
      "20260102030405_0000_fancy_hulk", "20260102030545_0001_old_age",
      "20260102030725_0002_new_users", "20260102030905_0003_people"};
};

TEST_F(Drizzle, IsConvertedWithoutADatabase) {
  const DrizzleReport report = adopt(false);
  EXPECT_EQ(report.written, ids_);
  EXPECT_EQ(report.recorded, std::vector<std::string>());
  EXPECT_EQ(report.pending, ids_);
  const MigrationFolder folder = MigrationFolder::read(this->folder());
  EXPECT_EQ(readFile(this->folder() / ids_[0] / "up.sql"),
            "-- From 0000_fancy_hulk.sql of drizzle-kit.\n"
            "\nCREATE TABLE `users` (\n\t`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,\n\t"
            "`name` text NOT NULL\n);\n"
            "\nCREATE UNIQUE INDEX `users_name_unique` ON `users` (`name`);\n");
  // What means nothing in a transaction is left out.
  EXPECT_EQ(folder.all()[2].up.find("PRAGMA"), std::string::npos);
  ASSERT_EQ(folder.all()[3].renames.size(), 2u);
  EXPECT_EQ(folder.all()[3].renames[0].was, "users");
  EXPECT_EQ(folder.all()[3].renames[1].table, "people");
  EXPECT_EQ(folder.all()[3].renames[1].was, "age");
  // A rebuilt table is the same one.
  EXPECT_TRUE(folder.all()[2].renames.empty());
}

TEST_F(Drizzle, GoesOnWhereADatabaseIs) {
  drizzle(2);
  inDatabase("insert into users (id, name, age) values (1, 'Ada', 36)");
  const DrizzleReport report = adopt();
  EXPECT_EQ(report.recorded, (std::vector<std::string>{ids_[0], ids_[1]}));
  EXPECT_EQ(report.pending, (std::vector<std::string>{ids_[2], ids_[3]}));
  EXPECT_EQ(migrate(migrating()).runs.size(), 2u);
  EXPECT_EQ(rows("select id, name, years from people"), (Rows{{"1", "Ada", "36"}}));
  // All the way back, also over those that drizzle-orm has carried out.
  MigratorOptions back = migrating();
  back.to = ids_[0];
  back.allowedLosses = {"users.age", "people.years"};
  back.withoutKept = true;
  rollBack(back);
  EXPECT_EQ(rows("select * from users"), (Rows{{"1", "Ada"}}));
  EXPECT_EQ(rows("select count(*) from __drizzle_migrations"), (Rows{{"2"}}));
}

TEST_F(Drizzle, DoesNothingTheSecondTimeAndTakesOverWhatHasCome) {
  write({kUsers, kAge});
  drizzle(1);
  adopt();
  const DrizzleReport second = adopt();
  EXPECT_TRUE(second.written.empty());
  EXPECT_TRUE(second.recorded.empty());
  EXPECT_EQ(second.pending, std::vector<std::string>{ids_[1]});
  write({kUsers, kAge, kRebuild});
  drizzle(3);
  const DrizzleReport third = adopt();
  EXPECT_EQ(third.written, std::vector<std::string>{ids_[2]});
  EXPECT_EQ(third.recorded, (std::vector<std::string>{ids_[1], ids_[2]}));
  EXPECT_TRUE(third.pending.empty());
  EXPECT_TRUE(migrate(migrating()).runs.empty());
}

TEST_F(Drizzle, RefusesAFolderThatWentOnByItself) {
  write({kUsers, kAge});
  adopt(false);
  const MadeMigration own =
      makeNext(MigrationFolder::read(folder()), schemaOf("create table t (a)"),
               {.id = "20260203040506_own", .allowedLosses = std::vector<std::string>{"users"}});
  writeMigration(folder(), own.files);
  EXPECT_TRUE(adopt(false).written.empty());
  write({kUsers, kAge, kRebuild});
  expectError(ErrorCode::Conflict,
              str(folder().string(), " has migrations that ", from().string(),
                  " has not; go on with one of the two, or name another folder, --dir DIR"),
              [this] { adopt(false); });
}

TEST_F(Drizzle, RefusesAMigrationThatWasChangedAfterwards) {
  adopt(false);
  writeFile("0001_old_age.sql", "ALTER TABLE `users` ADD `age` integer DEFAULT 1;");
  expectError(ErrorCode::Conflict,
              str((folder() / ids_[1]).string(), " is not what comes of ",
                  (from() / "0001_old_age.sql").string(),
                  "; one of the two was changed: bring it back as it was"),
              [this] { adopt(false); });
}

TEST_F(Drizzle, RefusesASchemaThatWasChangedByHand) {
  drizzle(1);
  inDatabase("alter table users add column extra text");
  expectError(ErrorCode::Conflict,
              str(file().string(), " is not where ", ids_[0],
                  " leads to:\n  table users: - column extra TEXT"),
              [this] { adopt(); });
  EXPECT_EQ(rows("select count(*) from sqlite_schema where name like '%schemascript%'"),
            (Rows{{"0"}}));
}

TEST_F(Drizzle, RefusesADatabaseWithoutARecord) {
  inDatabase("create table users (id integer primary key)");
  expectConflict(str(file().string(),
                     " has tables, and no record of drizzle-orm's in __drizzle_migrations; if the "
                     "record has another name, give it that one, and if there is none, convert "
                     "without --db and say where the database is with schemascript migrate "
                     "--baseline ID"));
}

TEST_F(Drizzle, RefusesARecordOfWhatIsNotThere) {
  drizzle(1);
  {
    Database database({.file = file()});
    record(database, 7);
  }
  expectConflict(
      "the database has seen 1 migration that the folder has not, the first of the time 7; bring "
      "the files back");
}

TEST_F(Drizzle, RefusesASkippedMigration) {
  drizzle(1);
  {
    Database database({.file = file()});
    record(database, when(2));
  }
  expectConflict(
      str("the database has seen 0002_new_users, and not 0001_old_age, which comes before it: "
          "drizzle-orm has skipped it, and would go on doing so; carry it out by hand, and add its "
          "time, ",
          when(1), ", to __drizzle_migrations"));
}

TEST_F(Drizzle, RefusesItsOwnFolderForOurs) {
  expectError(ErrorCode::InvalidRequest,
              str(from().string(),
                  " is drizzle-kit's; name another folder for what comes of it, --dir DIR"),
              [this] { adoptDrizzle({.from = from(), .folder = from(), .database = {}}); });
}

// The record is no part of the schema: neither of its differences nor of what is pulled.
TEST_F(Drizzle, LeavesItsRecordOutOfTheSchema) {
  drizzle(1);
  Database database({.file = file()});
  runAll(database, "create index recorded on __drizzle_migrations (created_at)");
  const Schema schema = readSchema(database);
  EXPECT_EQ(schema.tables.size(), 1u);
  EXPECT_EQ(schema.indexes.size(), 1u);
}

TEST_F(Drizzle, ReadsTheNewerFolders) {
  fs::remove_all(from());
  writeFile("20260102030405_first/migration.sql", kUsers.sql);
  writeFile("20260102030545_second/migration.sql", kAge.sql);
  writeFile("notes/readme.txt", "");
  drizzle(1);
  const DrizzleReport report = adopt();
  EXPECT_EQ(report.recorded, std::vector<std::string>{"20260102030405_first"});
  EXPECT_EQ(report.pending, std::vector<std::string>{"20260102030545_second"});
}

// Git may have changed line ends.
TEST_F(Drizzle, TakesLineEndsOfEitherKind) {
  adopt(false);
  std::string text = kUsers.sql;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\r\n");
  }
  writeFile("0000_fancy_hulk.sql", text);
  EXPECT_TRUE(adopt(false).written.empty());
}

struct Bad {
  const char* name;
  const char* file;
  const char* text;
  const char* message;  // Behind the file's name.
};
const Bad kBad[] = {
    {"NoJson", "meta/_journal.json", "{", ": it is not JSON"},
    {"NoEntries", "meta/_journal.json", "{}", ": it has no list of entries"},
    {"OtherDatabase", "meta/_journal.json", R"({"dialect":"postgresql","entries":[]})",
     ": its migrations are for \"postgresql\", not for SQLite"},
    {"NoTag", "meta/_journal.json", R"({"entries":[7]})", ": an entry has no tag"},
    {"NoTime", "meta/_journal.json", R"({"entries":[{"tag":"a"}]})", ": the entry a has no time"},
    {"WayOut", "meta/_journal.json", R"({"entries":[{"tag":"../a","when":1}]})",
     ": the tag ../a is no name of a file"},
};

class BadDrizzle : public Drizzle, public testing::WithParamInterface<Bad> {};

TEST_P(BadDrizzle, IsRefusedByTheNameOfItsFile) {
  writeFile(GetParam().file, GetParam().text);
  expectError(ErrorCode::InvalidRequest,
              str("cannot read ", (from() / GetParam().file).string(), GetParam().message),
              [this] { adopt(); });
}

INSTANTIATE_TEST_SUITE_P(Drizzle, BadDrizzle, testing::ValuesIn(kBad),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_F(Drizzle, SaysWhatIsMissing) {
  fs::remove(from() / "0001_old_age.sql");
  expectError(ErrorCode::InvalidRequest,
              str("there is no ", (from() / "0001_old_age.sql").string(), ", which ",
                  (from() / "meta/_journal.json").string(), " names"),
              [this] { adopt(); });
  fs::remove_all(from());
  expectError(ErrorCode::InvalidRequest, str("there is no folder ", from().string()),
              [this] { adopt(); });
  fs::create_directories(from());
  expectError(ErrorCode::InvalidRequest,
              str(from().string(),
                  " has no migrations of drizzle-kit: no meta/_journal.json that names any, and no "
                  "folders with a migration.sql"),
              [this] { adopt(); });
}

TEST_F(Drizzle, SaysWhichStatementCannotBeCarriedOut) {
  write({kUsers, {"0001_bad", "PRAGMA journal_mode = delete;"}});
  expectError(ErrorCode::InvalidRequest,
              str((from() / "0001_bad.sql").string(),
                  ": PRAGMA journal_mode cannot be a part of a migration; take it out"),
              [this] { adopt(); });
  for (const auto& [statement, why] :
       {std::pair{"DROP TABLE nobody;", "no such table: nobody"},
        std::pair{"SELECT FROM;", "near \"FROM\": syntax error at line 1, column 8"}}) {
    write({kUsers, {"0001_bad", statement}});
    expectError(
        ErrorCode::InvalidRequest,
        str((from() / "0001_bad.sql").string(), " cannot be carried out: ", why, "\n  ", statement),
        [this] { adopt(); });
  }
  for (const char* statement :
       {"COMMIT;", "ATTACH 'other.db' AS other;", "DROP TABLE __schemascript_migrations;"}) {
    write({kUsers, {"0001_bad", statement}});
    EXPECT_EQ(errorOf([this] { adopt(); }).code(), ErrorCode::InvalidRequest) << statement;
  }
  EXPECT_FALSE(fs::exists(folder()));
}

}  // namespace
}  // namespace schemascript
