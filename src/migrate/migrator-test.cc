// Databases on their way through migrations: files, records, rehearsals.
#include "migrate/migrator.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/testing.h"
#include "migrate/testing.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsers =
    "create table users (id integer primary key, email text not null) strict;";
constexpr std::string_view kUsersWithAge =
    "create table users (id integer primary key, email text not null, age integer) strict;";
constexpr std::string_view kPosts =
    "create table posts (id integer primary key, author integer not null references users (id) on"
    " delete cascade) strict;";

class Migrating : public testing::Test {
 protected:
  // Ids grow with each call.
  std::string generate(std::string_view name, const std::string& sql,
                       std::vector<Rename> renames = {}, std::vector<std::string> losses = {}) {
    return write(makeNext(MigrationFolder::read(folder()), schemaOf(sql),
                          {.id = idOf(name), .renames = renames, .allowedLosses = losses}));
  }
  // As on a branch that knows nothing of what came after `parents` migrations.
  std::string generateBeside(std::string_view name, const std::string& sql, std::size_t hidden) {
    const fs::path aside = temporary_.path() / "aside";
    fs::create_directories(aside);
    const MigrationFolder all = MigrationFolder::read(folder());
    for (std::size_t i = all.all().size() - hidden; i < all.all().size(); ++i) {
      fs::rename(all.all()[i].folder, aside / all.all()[i].id);
    }
    const std::string id = generate(name, sql);
    for (std::size_t i = all.all().size() - hidden; i < all.all().size(); ++i) {
      fs::rename(aside / all.all()[i].id, all.all()[i].folder);
    }
    return id;
  }
  std::string merge(const std::string& sql) {
    return write(makeMerge(MigrationFolder::read(folder()), schemaOf(sql), {.id = idOf("merge")}));
  }

  MigratorOptions options(std::string to = {}) const {
    MigratorOptions options;
    options.database = file();
    options.folder = folder();
    options.to = std::move(to);
    options.waitMax = std::chrono::seconds(30);
    return options;
  }
  std::vector<std::string> migrated(const MigratorOptions& options) {
    std::vector<std::string> ids;
    for (const MigrationRun& run : migrate(options).runs) ids.push_back(run.id);
    return ids;
  }

  void inDatabase(std::string_view sql) {
    Database database({.file = file()});
    runAll(database, sql);
  }
  Rows rows(std::string_view sql) {
    Database database({.file = file()});
    return rowsOf(database, sql);
  }
  std::vector<std::string> differencesTo(const std::string& sql) {
    Database database({.file = file()});
    return differencesBetween(schemaOf(sql), readSchema(database));
  }
  DatabaseStatus status() {
    Database database({.file = file()});
    return statusOf(database, MigrationFolder::read(folder()));
  }
  void append(const std::string& id, const char* name, std::string_view text) {
    std::ofstream(folder() / id / name, std::ios::app) << text;
  }

  fs::path folder() const { return temporary_.path() / "migrations"; }
  fs::path file() const { return temporary_.path() / "app.db"; }
  // What is beside the database, but for its own files.
  std::size_t filesBeside() const {
    std::size_t files = 0;
    for (const auto& each : fs::directory_iterator(temporary_.path())) {
      files += each.path().filename().string().find("rehearsal") != std::string::npos ? 1 : 0;
    }
    return files;
  }

  TemporaryFolder temporary_;

 private:
  std::string idOf(std::string_view name) {
    using namespace std::chrono;
    return newMigrationId(name, system_clock::time_point(seconds(1'700'000'000 + number_++)));
  }
  std::string write(const MadeMigration& made) {
    writeMigration(folder(), made.files);
    return made.files.id;
  }

  int number_ = 0;
};

TEST_F(Migrating, CarriesOutWhatADatabaseHasNotSeen) {
  const std::string first = generate("init", std::string(kUsers));
  const std::string second = generate("age", std::string(kUsersWithAge));
  EXPECT_EQ(first, "20231114221320_init");
  EXPECT_EQ(migrated(options()), (std::vector{first, second}));
  EXPECT_EQ(differencesTo(std::string(kUsersWithAge)), std::vector<std::string>());
  EXPECT_EQ(migrated(options()), std::vector<std::string>());
  const std::string third = generate("posts", str(kUsersWithAge, kPosts));
  EXPECT_EQ(migrated(options()), std::vector{third});
  EXPECT_EQ(rows("select id from __schemascript_migrations order by number"),
            (Rows{{first}, {second}, {third}}));
  EXPECT_EQ(filesBeside(), 0u);
}

TEST_F(Migrating, GoesToAMigrationAndBack) {
  const std::string first = generate("init", std::string(kUsers));
  const std::string second = generate("age", std::string(kUsersWithAge));
  const std::string third = generate("posts", str(kUsersWithAge, kPosts));
  EXPECT_EQ(migrated(options("age")), (std::vector{first, second}));
  EXPECT_EQ(differencesTo(std::string(kUsersWithAge)), std::vector<std::string>());
  migrate(options());
  EXPECT_EQ(rollBack(options()).runs.at(0).id, third);
  EXPECT_EQ(differencesTo(std::string(kUsersWithAge)), std::vector<std::string>());
  migrate(options());
  const MigratorReport report = rollBack(options(first));
  ASSERT_EQ(report.runs.size(), 2u);
  EXPECT_EQ(report.runs[0].id, third);
  EXPECT_EQ(report.runs[1].id, second);
  EXPECT_EQ(differencesTo(std::string(kUsers)), std::vector<std::string>());
}

TEST_F(Migrating, DryRunTellsAndChangesNothing) {
  generate("init", std::string(kUsers));
  MigratorOptions dry = options();
  dry.dryRun = true;
  EXPECT_EQ(migrate(dry).runs.size(), 1u);
  EXPECT_FALSE(fs::exists(file()));
  migrate(options());
  inDatabase("insert into users values (1, 'a'), (2, 'b')");
  generate("rename",
           "create table members (id integer primary key, mail text not null,"
           " age integer not null default 3) strict;",
           {{.table = "members", .column = {}, .was = "users"},
            {.table = "members", .column = "mail", .was = "email"}});
  const MigratorReport report = migrate(dry);
  ASSERT_EQ(report.rehearsal.tables.size(), 1u);
  EXPECT_EQ(report.rehearsal.tables[0].was, "users");
  EXPECT_EQ(report.rehearsal.tables[0].name, "members");
  EXPECT_EQ(report.rehearsal.tables[0].rowsBefore, 2);
  EXPECT_EQ(report.rehearsal.tables[0].rowsAfter, 2);
  EXPECT_EQ(report.rehearsal.tables[0].rowsChanged, 0);
  EXPECT_TRUE(report.rehearsal.losses.empty());
  EXPECT_EQ(differencesTo(std::string(kUsers)), std::vector<std::string>());
  EXPECT_EQ(filesBeside(), 0u);
}

TEST_F(Migrating, RollbackBringsDroppedValuesBack) {
  generate("init", std::string(kUsersWithAge));
  migrate(options());
  inDatabase("insert into users values (1, 'a', 36), (2, 'b', null), (3, 'c', 5)");
  expectError(ErrorCode::Conflict,
              "this would lose what these hold:\n  users.age\n"
              "if one of them has another name now, say so in the schema, .was(\"old\");\n"
              "if they are to go, add --allow-loss users.age",
              [&] { generate("drop", std::string(kUsers)); });
  generate("drop", std::string(kUsers), {}, {"users.age"});
  const MigratorReport report = migrate(options());
  ASSERT_EQ(report.rehearsal.losses.size(), 1u);
  EXPECT_EQ(report.rehearsal.losses[0].what, "users.age");
  EXPECT_EQ(report.rehearsal.losses[0].rows, 2);
  inDatabase("delete from users where id = 3; insert into users values (4, 'd')");
  rollBack(options());
  EXPECT_EQ(rows("select * from users"), (Rows{{"1", "a", "36"}, {"2", "b", ""}, {"4", "d", ""}}));
}

TEST_F(Migrating, KeepsWhatIsDroppedForItsTime) {
  generate("init", str(kUsers, kPosts));
  migrate(options());
  inDatabase("insert into users values (1, 'a'); insert into posts values (7, 1)");
  const std::string drop = generate("drop", std::string(kUsers), {}, {"posts"});
  migrate(options());
  MigratorOptions later = options();
  later.keepFor = std::chrono::hours(-1);
  EXPECT_EQ(migrate(later).forgotten.back(), drop);
  const Error error = errorOf([&] { rollBack(options()); });
  EXPECT_EQ(error.message(),
            str("what ", drop,
                " has dropped or overwritten is not kept any more: its way back brings the columns "
                "and tables, without what they held; add --without-kept if that is enough"));
  later.withoutKept = true;
  rollBack(later);
  EXPECT_EQ(differencesTo(str(kUsers, kPosts)), std::vector<std::string>());
  EXPECT_EQ(rows("select count(*) from posts"), (Rows{{"0"}}));
}

TEST_F(Migrating, RefusesLossThatWasNotAllowed) {
  generate("init", str(kUsers, kPosts));
  migrate(options());
  inDatabase("insert into users values (1, 'a'); insert into posts values (7, 1), (8, 1)");
  const std::string id = generate("age", str(kUsersWithAge, kPosts));
  append(id, "up.sql", "delete from posts where id = 7;\n");
  const Error error = errorOf([&] { migrate(options()); });
  EXPECT_EQ(error.message(), str(id,
                                 ", in the rehearsal: rows would be lost:\n"
                                 "  posts: 2 rows before, 1 after\n"
                                 "allow it by name, --allow-loss posts, or change the migration\n"
                                 "the database itself was not touched"));
  MigratorOptions allowed = options();
  allowed.allowedLosses = {"posts"};
  EXPECT_EQ(migrate(allowed).rehearsal.losses.at(0).rows, 1);
}

TEST_F(Migrating, TellsRowsWhoseValuesChange) {
  generate("init", std::string(kUsers));
  migrate(options());
  inDatabase("insert into users values (1, 'A'), (2, 'b'), (3, 'C')");
  const std::string id = generate("age", std::string(kUsersWithAge));
  append(id, "up.sql", "update users set email = lower(email);\n");
  const TableChange change = migrate(options()).rehearsal.tables.at(0);
  EXPECT_EQ(change.rowsChanged, 2);
  EXPECT_EQ(change.sample, "id 1, id 3");
}

TEST_F(Migrating, NoticesAMigrationThatWasChangedAfterwards) {
  const std::string id = generate("init", std::string(kUsers));
  migrate(options());
  std::string text = readFile(folder() / id / "up.sql");
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.insert(at, 1, '\r');
  }
  writeFileAtomically(folder() / id / "up.sql", text);
  EXPECT_EQ(migrated(options()), std::vector<std::string>());  // Git has done that.
  append(id, "up.sql", "-- more\n");
  expectError(ErrorCode::Conflict,
              str("the migration ", id,
                  " was changed after it was carried out on this database; bring its files back as "
                  "they were, and put the change into a new migration"),
              [&] { migrate(options()); });
  EXPECT_EQ(status().migrations.at(0).state, MigrationStatus::State::Changed);
}

TEST_F(Migrating, NoticesAMigrationThatIsGone) {
  generate("init", std::string(kUsers));
  const std::string id = generate("age", std::string(kUsersWithAge));
  migrate(options());
  fs::rename(folder() / id, temporary_.path() / id);
  expectError(ErrorCode::Conflict,
              str("the migration ", id, ", which was carried out on ", file().string(),
                  ", is not in ", folder().string(), "; bring it back, or roll it back first"),
              [&] { migrate(options()); });
  EXPECT_EQ(status().migrations.at(1).state, MigrationStatus::State::Missing);
  rollBack(options());  // By what the database knows.
  EXPECT_EQ(differencesTo(std::string(kUsers)), std::vector<std::string>());
}

// Other tools go by the time in the name, and never carry it out.
TEST_F(Migrating, ALateMigrationIsNotSkipped) {
  const std::string first = generate("init", std::string(kUsers));
  const std::string early = generate("age", std::string(kUsersWithAge));
  const std::string late = generateBeside("posts", str(kUsers, kPosts), 1);
  migrate(options(early));
  // On the other branch, where `late` was made, it was carried out alone.
  const Error heads = errorOf([&] { migrate(options()); });
  EXPECT_EQ(heads.message(),
            str("two lines of migrations have no end in common: ", early, ", ", late,
                "; they were made on two branches, join them with schemascript "
                "merge FILE.ts"));
  EXPECT_EQ(status().heads, (std::vector{early, late}));
  const std::string joined = merge(str(kUsersWithAge, kPosts));
  EXPECT_EQ(migrated(options()), (std::vector{late, joined}));
  EXPECT_EQ(differencesTo(str(kUsersWithAge, kPosts)), std::vector<std::string>());
  EXPECT_EQ(status().drift, std::vector<std::string>());
}

TEST_F(Migrating, RefusesToMergeWhatUndoesEachOther) {
  generate("init", std::string(kUsers));
  generate("age", std::string(kUsersWithAge));
  generateBeside("check",
                 "create table users (id integer primary key, email text not null check (email <> "
                 "'')) strict;",
                 1);
  const Error error = errorOf([&] { merge(std::string(kUsersWithAge)); });
  EXPECT_EQ(error.code(), ErrorCode::Conflict);
  EXPECT_NE(error.message().find("it matters in which order these are carried out"),
            std::string::npos)
      << error.message();
}

TEST_F(Migrating, ShowsASchemaThatWasChangedByHand) {
  generate("init", std::string(kUsers));
  migrate(options());
  inDatabase("alter table users add column nick text; create index i on users (email)");
  const Error error = errorOf([&] { migrate(options()); });
  EXPECT_NE(error.message().find("was changed by hand"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("\n  index i: not wanted"), std::string::npos) << error.message();
  EXPECT_EQ(status().drift.size(), 2u);
}

TEST_F(Migrating, TakesOverADatabaseThatWasMadeOtherwise) {
  const std::string first = generate("init", std::string(kUsers));
  const std::string second = generate("age", std::string(kUsersWithAge));
  inDatabase(kUsers);
  EXPECT_TRUE(status().isUnrecorded);
  EXPECT_EQ(errorOf([&] { migrate(options()); }).code(), ErrorCode::Conflict);
  EXPECT_EQ(errorOf([&] { adoptBaseline(options(second)); }).code(), ErrorCode::Conflict);
  EXPECT_EQ(adoptBaseline(options(first)), std::vector{first});
  EXPECT_EQ(migrated(options()), std::vector{second});
}

TEST_F(Migrating, TwoAtOnceDoItOnce) {
  generate("init", std::string(kUsers));
  migrate(options());
  inDatabase(
      "insert into users with recursive n(i) as (values (1) union all select i + 1 from n"
      " limit 20000) select i, 'a' || i from n");
  generate("required",
           "create table users (id integer primary key, email text not null unique,"
           " age integer not null default 1) strict;");
  generate("posts",
           "create table users (id integer primary key, email text not null unique, age"
           " integer not null default 1) strict;" +
               std::string(kPosts));
  std::atomic<std::size_t> runs = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      // Two processes do not share the name of their copy.
      threads.emplace_back([&] {
        const MigratorReport report = migrate(options());
        runs += report.runs.size();
      });
    }
  }
  EXPECT_EQ(runs, 2u);
  EXPECT_EQ(rows("select count(*) from __schemascript_migrations"), (Rows{{"3"}}));
}

TEST_F(Migrating, TwoAtOnceMakeADatabaseOnce) {
  generate("init", std::string(kUsers));
  generate("posts", str(kUsers, kPosts));
  std::atomic<std::size_t> runs = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] { runs += migrate(options()).runs.size(); });
    }
  }
  EXPECT_EQ(runs, 2u);
  EXPECT_EQ(rows("select count(*) from __schemascript_migrations"), (Rows{{"2"}}));
}

// Changes of data that are no code of a guest's.
struct Changes : DataChanges {
  void prepare(const fs::path& source) override { prepared.push_back(source); }
  void run(Database& database, const fs::path& source, Stage stage) override {
    change(database, source, stage);
  }
  std::vector<fs::path> prepared;
  std::function<void(Database&, const fs::path&, Stage)> change;
};

TEST_F(Migrating, RunsChangesOfDataInTheSameTransaction) {
  generate("init", std::string(kUsers));
  migrate(options());
  inDatabase("insert into users values (1, 'A')");
  const std::string id = generate("age", std::string(kUsersWithAge));
  append(id, "up.ts", "// ...");
  EXPECT_EQ(errorOf([&] { migrate(options()); }).code(), ErrorCode::InvalidRequest);
  MigratorOptions with = options();
  Changes changes;
  int calls = 0;
  changes.change = [&](Database& database, const fs::path& source, Stage stage) {
    ++calls;
    EXPECT_EQ(source, folder() / id / "up.ts");
    EXPECT_EQ(changes.prepared.back(), source);
    EXPECT_EQ(stage, calls % 2 == 1 ? Stage::Rehearsal : Stage::Real);
    EXPECT_TRUE(database.inTransaction());
    runAll(database, "update users set age = 7");
    if (calls == 2) throw conflict("no");
  };
  with.data = &changes;
  EXPECT_EQ(errorOf([&] { migrate(with); }).code(), ErrorCode::Conflict);
  EXPECT_EQ(differencesTo(std::string(kUsers)), std::vector<std::string>());
  migrate(with);
  EXPECT_EQ(rows("select age from users"), (Rows{{"7"}}));
}

TEST_F(Migrating, RefusesAWayBackWhoseCodeIsGone) {
  const std::string id = generate("init", std::string(kUsers));
  append(id, "down.ts", "// ...");
  migrate(options());
  fs::remove_all(folder() / id);
  expectError(ErrorCode::Conflict,
              str("the way back from ", id, " has a down.ts, and its files are not in ",
                  folder().string(), "; bring them back"),
              [&] { rollBack(options()); });
}

// Whoever asks for the end while a migration runs gets the database of before it.
TEST_F(Migrating, StopsInTheMiddleAndSaysWhatWasDone) {
  const std::string first = generate("init", std::string(kUsers));
  const std::string second = generate("age", std::string(kUsersWithAge));
  append(second, "up.ts", "// ...");
  for (const Stage when : {Stage::Rehearsal, Stage::Real}) {
    std::stop_source source;
    Changes changes;
    changes.change = [&](Database& database, const fs::path&, Stage stage) {
      if (stage != when) return;
      source.request_stop();
      runAll(database, "update users set age = 7");
    };
    MigratorOptions with = options();
    with.data = &changes;
    with.stop = source.get_token();
    expectError(ErrorCode::Unavailable,
                when == Stage::Rehearsal
                    ? std::string("interrupted; nothing was changed")
                    : str("interrupted; what was done before stays: applied ", first),
                [&] { migrate(with); });
    EXPECT_EQ(rows("select count(*) from sqlite_schema where name = 'users'"),
              (Rows{{when == Stage::Rehearsal ? "0" : "1"}}));
  }
}

TEST_F(Migrating, DoesNothingWhenItWasStoppedBefore) {
  generate("init", std::string(kUsers));
  std::stop_source source;
  source.request_stop();
  MigratorOptions with = options();
  with.stop = source.get_token();
  expectError(ErrorCode::Unavailable, "interrupted; nothing was changed", [&] { migrate(with); });
}

struct Damage {
  const char* name;
  const char* file;
  const char* text;
  const char* message;
};
const Damage kDamages[] = {
    {"NoJson", "snapshot.json", "{", "it is not JSON"},
    {"NoFormat", "snapshot.json", "{}",
     "its format is not 1; a newer schemascript may have written it"},
    {"NoLists", "snapshot.json", R"({"format": 1})", "its parents is not a list"},
    {"NoTexts", "snapshot.json", R"({"format": 1, "parents": [], "renames": [], "schema": [1]})",
     "a part of its schema is not a text"},
    {"OddParent", "snapshot.json", R"({"format": 1, "parents": [7]})", "a id is not a text"},
};

class DamagedMigration : public Migrating, public testing::WithParamInterface<Damage> {};

TEST_P(DamagedMigration, IsRefusedByItsName) {
  const std::string id = generate("init", std::string(kUsers));
  writeFileAtomically(folder() / id / GetParam().file, GetParam().text);
  expectError(
      ErrorCode::InvalidRequest,
      str("cannot read ", (folder() / id / GetParam().file).string(), ": ", GetParam().message),
      [&] { MigrationFolder::read(folder()); });
}

INSTANTIATE_TEST_SUITE_P(Migrating, DamagedMigration, testing::ValuesIn(kDamages),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_F(Migrating, RefusesFoldersThatDoNotFitTogether) {
  const std::string first = generate("init", std::string(kUsers));
  const std::string second = generate("age", std::string(kUsersWithAge));
  append(first, "snapshot.json", " \n");
  EXPECT_EQ(errorOf([&] { MigrationFolder::read(folder()); }).message(),
            str("the snapshot of ", first, " was changed after ", second,
                " was made from it; bring the old one back, or delete ", second,
                " and generate it anew if nobody has applied it"));
  fs::remove_all(folder() / first);
  EXPECT_EQ(errorOf([&] { MigrationFolder::read(folder()); }).message(),
            str("the migration ", second, " was made from ", first, ", which is not in ",
                folder().string(), "; bring it back"));
  fs::remove(folder() / second / "down.sql");
  EXPECT_EQ(errorOf([&] { MigrationFolder::read(folder()); }).message(),
            str("the migration ", (folder() / second).string(),
                " has no down.sql; bring it back, or delete the folder if nobody has applied it"));
}

TEST_F(Migrating, TakesNoNameThatIsAPath) {
  for (const char* name : {"", "../x", "a b", "a/b", "\xc3\xa4"}) {
    EXPECT_EQ(errorOf([&] { newMigrationId(name, {}); }).code(), ErrorCode::InvalidRequest) << name;
  }
}

}  // namespace
}  // namespace schemascript
