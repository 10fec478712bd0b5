#include "database/database.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <random>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/testing.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::string textOf(Database& database, std::string_view sql) {
  Statement statement = database.prepare(sql, Rules::Host);
  Execution execution(statement);
  EXPECT_TRUE(execution.step());
  const ValueView value = execution.column(0);
  return value.kind == ValueKind::Integer ? str(value.integer) : std::string(value.bytes);
}

// Files and folders look writable to root whatever their mode; these tests are about everybody
// else.
class AsNobody {
 public:
  AsNobody() : user_(::geteuid()) { EXPECT_EQ(::seteuid(user_ == 0 ? 65'534 : user_), 0); }
  ~AsNobody() { EXPECT_EQ(::seteuid(user_), 0); }

 private:
  const uid_t user_;
};

constexpr auto kAllMayWrite = fs::perms::all;
constexpr auto kAllMayRead = fs::perms::owner_read | fs::perms::group_read |
                             fs::perms::others_read | fs::perms::owner_exec |
                             fs::perms::group_exec | fs::perms::others_exec;

TEST(Database, OpensWithTheSettingsThatAreWritten) {
  const TemporaryFolder folder;
  Database database({.file = folder / "a.db"});
  EXPECT_EQ(textOf(database, "pragma journal_mode"), "wal");
  EXPECT_EQ(textOf(database, "pragma synchronous"), "1");
  EXPECT_EQ(textOf(database, "pragma foreign_keys"), "1");
  database.execute("create table t (a)", Rules::Host);
  EXPECT_EQ(textOf(database, "pragma secure_delete"), "2");  // FAST.
}

// Freed pages are not written once more; what is deleted within a page that stays becomes zeros.
TEST(Database, OverwritesWhatIsDeletedInPagesThatStay) {
  const TemporaryFolder folder;
  {
    Database database({.file = folder / "a.db"});
    database.execute("create table t (id integer primary key, a text)", Rules::Host);
    database.execute("insert into t values (1, 'stays'), (2, 'a-secret-word')", Rules::Host);
    database.execute("delete from t where id = 2", Rules::Host);
    database.execute("pragma wal_checkpoint(truncate)", Rules::Host);
  }
  const std::string bytes = readFile(folder / "a.db");
  EXPECT_NE(bytes.find("stays"), std::string::npos);
  EXPECT_EQ(bytes.find("secret"), std::string::npos);
}

// What each of several processes does at its first start.
TEST(Database, IsOpenedByManyAtOnceWhenItIsNew) {
  const TemporaryFolder folder;
  for (int round = 0; round < 20; ++round) {
    const fs::path file = folder / str("new-", round, ".db");
    std::atomic<int> opened{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&file, &opened] {
        Database database({.file = file});
        database.execute("create table if not exists t (x)", Rules::Guest);
        ++opened;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(opened, 4);
  }
}

TEST(Database, LetsChecksUseJsonOnEverySqlite) {
  Database database({});
  database.execute("create table t (x text check (json_valid(x))) strict", Rules::Host);
  database.execute("insert into t values ('[1]')", Rules::Guest);
  EXPECT_EQ(errorOf([&] { database.execute("insert into t values ('[')", Rules::Guest); }).code(),
            ErrorCode::Conflict);
}

TEST(Database, TakesAMisspeltColumnForAnErrorAndNotForAString) {
  Database database({});
  expectError(ErrorCode::InvalidRequest,
              "no such column: \"nmae\" at line 1, column 8; a text is written in single quotes",
              [&] { database.execute("select \"nmae\"", Rules::Guest); });
}

TEST(Database, TakesSpecialFileNamesForFiles) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  { Database database({.file = ":memory:"}); }
  { Database database({.file = "file:x.db?mode=memory"}); }
  fs::current_path(before);
  EXPECT_TRUE(fs::exists(folder / ":memory:"));
  EXPECT_TRUE(fs::exists(folder / "file:x.db?mode=memory"));
}

TEST(Database, SaysThatTheFolderIsMissing) {
  const TemporaryFolder folder;
  const fs::path file = folder / "none" / "a.db";
  expectError(ErrorCode::InvalidRequest,
              str("cannot open ", file.string(), ": there is no folder ",
                  (folder / "none").string(), "; create it first"),
              [&] { Database database({.file = file}); });
}

TEST(Database, SaysThatTheFileIsAFolder) {
  const TemporaryFolder folder;
  expectError(ErrorCode::InvalidRequest,
              str("cannot open ", folder.path().string(), ": it is a folder; name a file in it"),
              [&] { Database database({.file = folder.path()}); });
}

TEST(Database, SaysThatTheFileToReadIsMissing) {
  const TemporaryFolder folder;
  expectError(ErrorCode::InvalidRequest,
              str("cannot open ", (folder / "a.db").string(), ": there is no such file"),
              [&] { Database database({.file = folder / "a.db", .access = Access::ReadOnly}); });
}

TEST(Database, SaysThatItCannotWrite) {
  const TemporaryFolder folder;
  { Database database({.file = folder / "a.db"}); }
  fs::permissions(folder / "a.db", kAllMayRead);
  fs::permissions(folder.path(), kAllMayRead);
  const AsNobody nobody;
  for (const char* name : {"a.db", "new.db"}) {
    expectError(ErrorCode::Unavailable,
                str("cannot open ", (folder / name).string(), ": the file or its folder ",
                    folder.path().string(),
                    " cannot be written; change the permissions or choose another file"),
                [&] { Database database({.file = folder / name}); });
  }
}

TEST(Database, SaysThatItCannotWriteBesideAWritableFile) {
  const TemporaryFolder folder;
  { Database database({.file = folder / "a.db"}); }
  fs::permissions(folder / "a.db", kAllMayWrite);
  fs::permissions(folder.path(), kAllMayRead);
  const AsNobody nobody;
  const Error error = errorOf([&] { Database database({.file = folder / "a.db"}); });
  EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  EXPECT_NE(error.message().find("cannot be written"), std::string::npos) << error.message();
}

TEST(Database, SaysThatTheFileIsNoDatabase) {
  const TemporaryFolder folder;
  const std::string text(8'192, 'x');
  writeFileAtomically(folder / "a.db", text);
  expectError(ErrorCode::InvalidRequest,
              str("cannot open ", (folder / "a.db").string(),
                  ": it is not a SQLite database; it was left as it is, choose another file"),
              [&] { Database database({.file = folder / "a.db"}); });
  EXPECT_EQ(readFile(folder / "a.db"), text);
}

TEST(Database, SaysThatTheFileIsDamaged) {
  const TemporaryFolder folder;
  {
    Database database({.file = folder / "a.db"});
    database.execute("create table t (a)", Rules::Guest);
  }
  std::string bytes = readFile(folder / "a.db");
  std::fill(bytes.begin() + 100, bytes.end(), '\xff');
  writeFileAtomically(folder / "a.db", bytes);
  expectError(ErrorCode::Unavailable,
              str("cannot open ", (folder / "a.db").string(),
                  ": the file is damaged; restore it from a backup, or try the .recover command of "
                  "the sqlite3 program"),
              [&] { Database database({.file = folder / "a.db"}); });
}

TEST(Database, SaysThatTheFileIsLocked) {
  const TemporaryFolder folder;
  Database other({.file = folder / "a.db"});
  other.execute("pragma journal_mode = delete", Rules::Host);
  other.execute("begin exclusive", Rules::Host);
  expectError(
      ErrorCode::Unavailable,
      str("cannot open ", (folder / "a.db").string(),
          ": another process has locked it for longer than busyTimeMax (20ms); end that "
          "process or try again later"),
      [&] {
        Database database({.file = folder / "a.db", .limits = {.busyTimeMax = milliseconds(20)}});
      });
  other.execute("rollback", Rules::Host);
}

TEST(Database, WritesNothingWhenOpenForReading) {
  const TemporaryFolder folder;
  Database writer({.file = folder / "a.db"});
  writer.execute("create table t (a)", Rules::Guest);
  Database reader({.file = folder / "a.db", .access = Access::ReadOnly});
  EXPECT_EQ(textOf(reader, "select count(*) from t"), "0");
  expectError(ErrorCode::NotAllowed, "the database is open for reading only (SQLITE_READONLY)",
              [&] { reader.execute("insert into t values (1)", Rules::Guest); });
}

TEST(Database, RefusesTextThatHoldsNoStatement) {
  Database database({});
  for (const char* sql : {"", " ", ";", "-- only a comment", "/* a */ ; -- b\n ; "}) {
    expectError(ErrorCode::InvalidRequest, "the SQL text holds no statement",
                [&] { database.prepare(sql, Rules::Guest); });
  }
  expectError(ErrorCode::InvalidRequest, "the SQL text holds no statement",
              [&] { database.prepare({}, Rules::Guest); });
}

TEST(Database, RefusesASecondStatement) {
  Database database({});
  for (const char* sql : {"select 1; select 2", "select 1;;", "select 1; nonsense",
                          "select 1 /* a */; -- b\n drop table t"}) {
    expectError(ErrorCode::InvalidRequest,
                "the SQL text holds a second statement; send one at a time",
                [&] { database.prepare(sql, Rules::Guest); });
  }
  for (const char* sql : {"select 1;", " select 1 ; \n", "select 1; -- a", "select 1 /* a */; /* b",
                          "-- a\nselect 1"}) {
    EXPECT_NO_THROW(database.prepare(sql, Rules::Guest)) << sql;
  }
}

TEST(Database, RefusesANulInTheText) {
  Database database({});
  expectError(
      ErrorCode::InvalidRequest, "the SQL text holds a NUL character; bind the text as a parameter",
      [&] { database.prepare(std::string_view("select 1\0; drop table t", 23), Rules::Guest); });
}

TEST(Database, RefusesTextBeyondItsLimit) {
  Database database({.limits = {.sqlBytesMax = 20}});
  EXPECT_NO_THROW(database.prepare("select 1 -- 01234567", Rules::Guest));
  expectError(ErrorCode::LimitExceeded, "the SQL text has 21 bytes; sqlBytesMax is 20b",
              [&] { database.prepare("select 1 -- 012345678", Rules::Guest); });
}

TEST(Database, RefusesColumnsAndParametersBeyondTheirLimits) {
  Database database({.limits = {.columnsMax = 3, .parametersMax = 2}});
  EXPECT_NO_THROW(database.prepare("select 1, 2, 3", Rules::Guest));
  expectError(ErrorCode::InvalidRequest, "too many columns in result set",
              [&] { database.prepare("select 1, 2, 3, 4", Rules::Guest); });
  EXPECT_NO_THROW(database.prepare("select ?, ?", Rules::Guest));
  expectError(ErrorCode::InvalidRequest, "too many SQL variables at line 1, column 14",
              [&] { database.prepare("select ?, ?, ?", Rules::Guest); });
}

TEST(Database, RefusesPatternsBeyondTheirLimit) {
  Database database({.limits = {.likePatternBytesMax = 5}});
  EXPECT_NO_THROW(database.execute("select 'a' like '%abc%'", Rules::Guest));
  expectError(ErrorCode::InvalidRequest, "LIKE or GLOB pattern too complex",
              [&] { database.execute("select 'a' like '%abcd%'", Rules::Guest); });
}

TEST(Database, StopsAQueryThatRuns) {
  Database database({.limits = {.runTimeMax = milliseconds(70)}});
  std::thread watchdog([&database] {
    std::this_thread::sleep_for(milliseconds(30));
    database.interrupt();
  });
  expectError(ErrorCode::LimitExceeded, "a query ran when the time was over: runTimeMax is 70ms",
              [&] {
                database.execute(
                    "with recursive n(x) as (select 1 union all select x + 1 from n)"
                    " select count(*) from n",
                    Rules::Guest);
              });
  watchdog.join();
}

TEST(Database, KeepsAnInterruptThatCameBetweenTwoQueries) {
  Database database({});
  database.interrupt();
  expectError(ErrorCode::LimitExceeded, "a query ran when the time was over: runTimeMax is 30s",
              [&] { database.execute("select 1", Rules::Guest); });
  EXPECT_NO_THROW(database.execute("select 1", Rules::Host));
  database.startRun(milliseconds(1));
  EXPECT_NO_THROW(database.execute("select 1", Rules::Guest));
}

TEST(Database, StopsCompilingWhenInterrupted) {
  Database database({});
  database.interrupt();
  expectError(ErrorCode::LimitExceeded, "a query ran when the time was over: runTimeMax is 30s",
              [&] { database.prepare("select 1", Rules::Guest); });
  EXPECT_NO_THROW(database.prepare("select 1", Rules::Host));
}

TEST(Database, StopsWaitingForALockWhenInterrupted) {
  const TemporaryFolder folder;
  Database other({.file = folder / "a.db"});
  other.execute("create table t (a)", Rules::Guest);
  other.execute("begin immediate", Rules::Host);
  Database database({.file = folder / "a.db", .limits = {.busyTimeMax = std::chrono::minutes(5)}});
  std::thread watchdog([&database] {
    std::this_thread::sleep_for(milliseconds(30));
    database.interrupt();
  });
  expectError(ErrorCode::LimitExceeded, "a query ran when the time was over: runTimeMax is 30s",
              [&] { database.execute("insert into t values (1)", Rules::Guest); });
  watchdog.join();
  other.execute("rollback", Rules::Host);
}

TEST(Database, WaitsForALockAsLongAsItsLimitAndNoLonger) {
  const TemporaryFolder folder;
  Database other({.file = folder / "a.db"});
  other.execute("create table t (a)", Rules::Guest);
  other.execute("begin immediate", Rules::Host);
  Database database({.file = folder / "a.db", .limits = {.busyTimeMax = milliseconds(50)}});
  const auto start = std::chrono::steady_clock::now();
  expectError(ErrorCode::Unavailable,
              str("another process holds ", (folder / "a.db").string(),
                  " for longer than busyTimeMax, which is 50ms; try again later, or end that "
                  "process (SQLITE_BUSY)"),
              [&] { database.execute("insert into t values (1)", Rules::Guest); });
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(50));
  // The other ends while we wait.
  auto insert = std::async(std::launch::async, [&database] {
    database.execute("insert into t values (1)", Rules::Guest);
  });
  other.execute("rollback", Rules::Host);
  EXPECT_NO_THROW(insert.get());
}

TEST(Database, IsNotUsedAgainOnceAbandoned) {
  Database database({});
  Statement statement = database.prepare("select 1", Rules::Guest);
  database.abandon();
  EXPECT_EQ(errorOf([&] { statement.run(); }).code(), ErrorCode::Internal);
  EXPECT_EQ(errorOf([&] { database.prepare("select 1", Rules::Guest); }).code(),
            ErrorCode::Internal);
}

// What a commit has answered is there after a kill at any moment, and nothing else is.
TEST(Database, HoldsEveryCommittedTransactionAfterAKill) {
  std::mt19937 random(seedOr(20));
  for (int round = 0; round < 5; ++round) {
    const TemporaryFolder folder;
    int counts[2];
    ASSERT_EQ(::pipe(counts), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(counts[0]);
      Database database({.file = folder / "a.db"});
      database.execute("create table t (batch integer, row integer)", Rules::Guest);
      for (std::int64_t batch = 1;; ++batch) {
        database.execute("begin immediate", Rules::Host);
        for (int row = 0; row < 10; ++row) {
          database.execute(str("insert into t values (", batch, ", ", row, ")"), Rules::Guest);
        }
        database.execute("commit", Rules::Host);
        if (::write(counts[1], &batch, sizeof batch) != sizeof batch) ::_exit(1);
      }
    }
    ::close(counts[1]);
    std::int64_t committed = 0;
    ASSERT_EQ(::read(counts[0], &committed, sizeof committed), ssize_t{sizeof committed});
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(counts[0], &committed, sizeof committed) == ssize_t{sizeof committed}) {
    }
    ::close(counts[0]);

    Database database({.file = folder / "a.db"});
    EXPECT_EQ(textOf(database, "pragma integrity_check"), "ok");
    EXPECT_EQ(textOf(database,
                     "select count(*) from (select 1 from t group by batch"
                     " having count(*) <> 10)"),
              "0");
    EXPECT_GE(std::stoll(textOf(database, "select max(batch) from t")), committed);
  }
}

}  // namespace
}  // namespace schemascript
