// Databases in memory that several connections share: SQLite's semantics between connections and
// threads, and the same answers as from a file.
#include "database/memory-vfs.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "base/testing.h"
#include "database/database.h"
#include "database/transactions.h"

namespace schemascript {
namespace {

using std::chrono::milliseconds;

// Who is answered busy is answered soon.
DatabaseOptions in(const std::shared_ptr<MemoryFile>& memory) {
  return {.memory = memory, .limits = {.busyTimeMax = milliseconds(2)}};
}

// All rows as text, or the error.
std::string answerOf(Database& database, std::string_view sql) {
  std::string text;
  try {
    Statement statement = database.prepare(sql, Rules::Host);
    Execution execution(statement);
    while (execution.step()) {
      for (int i = 0; i < statement.columnCount(); ++i) {
        const ValueView value = execution.column(i);
        text += value.kind == ValueKind::Integer ? str(value.integer)
                : value.kind == ValueKind::Null  ? "null"
                : value.kind == ValueKind::Real  ? str(value.real)
                                                 : std::string(value.bytes);
        text += '|';
      }
    }
    const Changes changes = execution.finish();
    return str(text, changes.rows, " ", changes.lastInsertRowid);
  } catch (const Error& error) {
    return str(text, nameOf(error.code()), ": ",
               error.detail() == nullptr ? "" : error.detail()->sqliteCode);
  }
}

std::string rowsOf(Database& database, std::string_view sql) {
  const std::string answer = answerOf(database, sql);
  EXPECT_TRUE(answer.ends_with("|0 0")) << sql << ": " << answer;
  return answer.substr(0, answer.rfind('|'));
}

void run(Database& database, std::string_view sql) { database.execute(sql, Rules::Host); }

TEST(MemoryFile, IsADatabaseAsSqliteMakesThem) {
  const TemporaryFolder folder;
  Database file({.file = folder / "a.db"});
  const auto memory = std::make_shared<MemoryFile>();
  Database database(in(memory));
  EXPECT_EQ(database.name(), "the database in memory");
  for (const char* pragma :
       {"journal_mode", "foreign_keys", "page_size", "page_count", "freelist_count", "encoding",
        "auto_vacuum", "schema_version", "user_version", "application_id", "locking_mode",
        "max_page_count", "wal_autocheckpoint", "integrity_check"}) {
    const std::string sql = str("pragma ", pragma);
    EXPECT_EQ(rowsOf(database, sql), rowsOf(file, sql)) << pragma;
  }
}

TEST(MemoryFile, NeverTakesThePlaceOfTheDefaultVfs) {
  const MemoryFile memory;
  EXPECT_NE(std::string(sqlite3_vfs_find(nullptr)->zName), MemoryFile::vfsName());
  EXPECT_NE(sqlite3_vfs_find(MemoryFile::vfsName()), nullptr);
}

TEST(MemoryFile, IsSeenByEveryConnection) {
  const auto memory = std::make_shared<MemoryFile>();
  Database one(in(memory));
  Database two(in(memory));
  run(one, "create table t (x)");
  run(one, "insert into t values (1)");
  EXPECT_EQ(rowsOf(two, "select x from t"), "1");
  run(two, "insert into t values (2)");
  EXPECT_EQ(rowsOf(one, "select sum(x) from t"), "3");
}

TEST(MemoryFile, IsApartFromTheOthers) {
  Database one(in(std::make_shared<MemoryFile>()));
  Database two(in(std::make_shared<MemoryFile>()));
  run(one, "create table t (x)");
  EXPECT_EQ(answerOf(two, "select x from t"), "invalid-request: SQLITE_ERROR");
}

TEST(MemoryFile, KeepsItsContentWithoutAConnection) {
  const auto memory = std::make_shared<MemoryFile>();
  {
    Database database(in(memory));
    run(database, "create table t (x)");
    run(database, "insert into t values (7)");
  }
  Database database(in(memory));
  EXPECT_EQ(rowsOf(database, "select x from t"), "7");
}

// The log is opened at the first access only, by its name.
TEST(MemoryFile, LivesAsLongAsAConnectionToIt) {
  auto memory = std::make_unique<MemoryFile>();
  const std::string path = memory->path();
  sqlite3* raw = nullptr;
  const int mode = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  ASSERT_EQ(sqlite3_open_v2(path.c_str(), &raw, mode, MemoryFile::vfsName()), SQLITE_OK);
  memory.reset();
  EXPECT_EQ(
      sqlite3_exec(raw, "create table t (x); insert into t values (1)", nullptr, nullptr, nullptr),
      SQLITE_OK);
  EXPECT_EQ(sqlite3_close(raw), SQLITE_OK);
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &raw, mode, MemoryFile::vfsName()), SQLITE_CANTOPEN);
  sqlite3_close(raw);
}

TEST(MemoryFile, KnowsNoOtherFiles) {
  const MemoryFile memory;
  for (const char* path : {"/schemascript-memory/0", "/etc/passwd", "", "-wal"}) {
    sqlite3* raw = nullptr;
    const int status = sqlite3_open_v2(path, &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                       MemoryFile::vfsName());
    // The empty name is a temporary database.
    EXPECT_EQ(status, *path == '\0' ? SQLITE_OK : SQLITE_CANTOPEN) << path;
    sqlite3_close(raw);
  }
}

TEST(MemoryFile, ShowsAReaderItsOldSnapshotWhileAWriterCommits) {
  const auto memory = std::make_shared<MemoryFile>();
  Database writer(in(memory));
  Database reader(in(memory));
  run(writer, "create table t (x)");
  run(writer, "insert into t values (1)");
  run(reader, "begin");
  EXPECT_EQ(rowsOf(reader, "select count(*) from t"), "1");
  for (int i = 0; i < 50; ++i) run(writer, "insert into t values (2)");
  EXPECT_EQ(rowsOf(reader, "select count(*) from t"), "1");
  // Not what the reader still needs: some of the log's pages stay.
  const std::string moved = rowsOf(writer, "pragma wal_checkpoint");
  EXPECT_EQ(moved.substr(0, 2), "0|");
  EXPECT_EQ(answerOf(writer, "pragma wal_checkpoint(truncate)").substr(0, 2), "1|");
  EXPECT_EQ(rowsOf(reader, "select count(*) from t"), "1");
  run(reader, "commit");
  EXPECT_EQ(rowsOf(reader, "select count(*) from t"), "51");
  EXPECT_EQ(rowsOf(writer, "pragma wal_checkpoint(truncate)"), "0|0|0");
  EXPECT_EQ(rowsOf(reader, "select count(*) from t"), "51");
}

TEST(MemoryFile, LetsOneWriteAtATime) {
  const auto memory = std::make_shared<MemoryFile>();
  Database one(in(memory));
  Database two(in(memory));
  run(one, "create table t (x)");
  run(one, "begin immediate");
  EXPECT_EQ(answerOf(two, "insert into t values (2)"), "unavailable: SQLITE_BUSY");
  EXPECT_EQ(answerOf(two, "begin immediate"), "unavailable: SQLITE_BUSY");
  EXPECT_EQ(rowsOf(two, "select count(*) from t"), "0");
  run(one, "commit");
  EXPECT_EQ(answerOf(two, "insert into t values (2)"), "1 1");
}

TEST(MemoryFile, RefusesAWriteOnAnOldSnapshot) {
  const auto memory = std::make_shared<MemoryFile>();
  Database one(in(memory));
  Database two(in(memory));
  run(one, "create table t (x)");
  run(two, "begin");
  EXPECT_EQ(rowsOf(two, "select count(*) from t"), "0");
  run(one, "insert into t values (1)");
  EXPECT_EQ(answerOf(two, "insert into t values (2)"), "unavailable: SQLITE_BUSY_SNAPSHOT");
  run(two, "rollback");
  EXPECT_EQ(answerOf(two, "insert into t values (2)"), "1 2");
}

TEST(MemoryFile, RollsBack) {
  const auto memory = std::make_shared<MemoryFile>();
  Database one(in(memory));
  Database two(in(memory));
  run(one, "create table t (x)");
  run(one, "begin");
  run(one, "insert into t values (1)");
  run(one, "savepoint a");
  run(one,
      "insert into t with recursive c (i) as (select 1 union all select i + 1 from c where"
      " i < 2000) select randomblob(4000) from c");
  run(one, "rollback to a");
  EXPECT_EQ(rowsOf(one, "select count(*) from t"), "1");
  EXPECT_EQ(rowsOf(two, "select count(*) from t"), "0");
  run(one, "rollback");
  EXPECT_EQ(rowsOf(one, "select count(*) from t"), "0");
  EXPECT_EQ(rowsOf(two, "pragma integrity_check"), "ok");
}

TEST(MemoryFile, HoldsBigBlobs) {
  const auto memory = std::make_shared<MemoryFile>();
  Database one(in(memory));
  Database two(in(memory));
  std::string blob(20'000'003, 'x');
  for (std::size_t i = 0; i < blob.size(); i += 997) blob[i] = static_cast<char>(i / 997);
  run(one, "create table t (x)");
  const ValueView value = ValueView::ofBlob(blob);
  one.prepare("insert into t values (?)", Rules::Guest).run({&value, 1});
  Statement select = two.prepare("select x from t", Rules::Guest);
  {
    Execution execution(select);
    ASSERT_TRUE(execution.step());
    EXPECT_TRUE(execution.column(0).bytes == blob);
  }
  EXPECT_GE(memory->bytesTaken(), blob.size());
  run(one, "delete from t");
  run(one, "pragma wal_checkpoint(truncate)");
  EXPECT_EQ(rowsOf(one, "pragma integrity_check"), "ok");
}

TEST(MemoryFile, GivesMemoryBackWhenItBecomesSmaller) {
  const auto memory = std::make_shared<MemoryFile>();
  // VACUUM attaches a database, which the settings of ours forbid.
  sqlite3* raw = nullptr;
  ASSERT_EQ(
      sqlite3_open_v2(memory->path().c_str(), &raw, SQLITE_OPEN_READWRITE, MemoryFile::vfsName()),
      SQLITE_OK);
  const auto execute = [raw](const char* sql) {
    EXPECT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
  };
  Database other(in(memory));
  execute("create table t (x); insert into t values (zeroblob(10000000)), (1)");
  EXPECT_EQ(rowsOf(other, "select count(*) from t"), "2");
  execute("delete from t where x <> 1; vacuum; pragma wal_checkpoint(truncate)");
  EXPECT_EQ(rowsOf(other, "select x from t"), "1");
  EXPECT_EQ(rowsOf(other, "pragma integrity_check"), "ok");
  EXPECT_EQ(memory->bytesTaken(), 64u << 10);
  sqlite3_close(raw);
}

TEST(MemoryFile, IsReadByWhoMayNotWrite) {
  const auto memory = std::make_shared<MemoryFile>();
  Database reader({.access = Access::ReadOnly, .memory = memory});
  EXPECT_EQ(rowsOf(reader, "select count(*) from sqlite_schema"), "0");
  Database writer(in(memory));
  run(writer, "create table t (x)");
  EXPECT_EQ(rowsOf(reader, "select count(*) from t"), "0");
  EXPECT_EQ(answerOf(reader, "insert into t values (1)"), "not-allowed: SQLITE_READONLY");
}

TEST(MemoryFile, EndsAtItsLimit) {
  const auto memory = std::make_shared<MemoryFile>(MemoryFileOptions{.bytesMax = 1 << 20});
  Database database(in(memory));
  run(database, "create table t (x)");
  // A page of a chain holds 4092 bytes of a blob, and up to 489 stay beside the row; the first two
  // pages are tables.
  EXPECT_EQ(answerOf(database, "insert into t values (zeroblob(255 * 4092))"),
            "unavailable: SQLITE_FULL");
  EXPECT_EQ(rowsOf(database, "select count(*) from t"), "0");
  EXPECT_EQ(answerOf(database, "insert into t values (zeroblob(254 * 4092))"), "1 1");
  EXPECT_EQ(rowsOf(database, "pragma page_count"), "256");
  expectError(ErrorCode::Unavailable,
              "the database in memory is full: bytesMax is 1mb; delete what is not needed, or "
              "allow more (SQLITE_FULL)",
              [&] { run(database, "insert into t values (zeroblob(4000))"); });
  EXPECT_FALSE(database.inTransaction());
  run(database, "delete from t");
  EXPECT_EQ(answerOf(database, "insert into t values (zeroblob(4000))"), "1 1");
  EXPECT_EQ(rowsOf(database, "pragma integrity_check"), "ok");
}

TEST(MemoryFile, NeedsAPage) {
  MemoryFile least({.bytesMax = 4096});
  expectError(ErrorCode::InvalidRequest,
              "a database in memory needs 4096 bytes at least; its bytesMax is 4095",
              [] { MemoryFile tooSmall({.bytesMax = 4095}); });
}

// While somebody reads something old, the log grows up to its limit. Afterwards it is used again.
TEST(MemoryFile, IsWrittenAgainWhenTheReaderThatFilledTheLogHasEnded) {
  const auto memory = std::make_shared<MemoryFile>(MemoryFileOptions{.bytesMax = 1 << 20});
  Database writer(in(memory));
  Database reader(in(memory));
  run(writer, "create table t (x)");
  run(writer, "insert into t values (zeroblob(100000))");
  run(reader, "begin");
  EXPECT_EQ(rowsOf(reader, "select count(*) from t"), "1");
  std::string answer;
  for (int i = 0; i < 1'000 && !answer.starts_with("unavailable"); ++i) {
    answer = answerOf(writer, str("update t set x = zeroblob(", 100'000 + i, ")"));
  }
  EXPECT_EQ(answer, "unavailable: SQLITE_FULL");
  EXPECT_EQ(answerOf(writer, "update t set x = zeroblob(99000)"), "unavailable: SQLITE_FULL");
  EXPECT_LE(memory->bytesTaken(), 8u << 20);
  run(reader, "commit");
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(answerOf(writer, str("update t set x = zeroblob(", 100'000 + i, ")")), "1 0");
  }
  EXPECT_EQ(rowsOf(reader, "pragma integrity_check"), "ok");
}

TEST(MemoryFile, AreManyAtOnce) {
  std::vector<std::shared_ptr<MemoryFile>> files;
  for (int i = 0; i < 500; ++i) {
    files.push_back(std::make_shared<MemoryFile>());
    Database database(in(files.back()));
    run(database, "create table t (x)");
    run(database, str("insert into t values (", i, ")"));
  }
  for (int i = 0; i < 500; ++i) {
    Database database(in(files[static_cast<std::size_t>(i)]));
    EXPECT_EQ(rowsOf(database, "select x from t"), str(i));
  }
}

// With a rollback journal instead of a log: the locks of the file are what keeps it whole.
TEST(MemoryFile, KeepsTheLocksOfARollbackJournal) {
  const auto memory = std::make_shared<MemoryFile>();
  {
    Database alone(in(memory));
    EXPECT_EQ(rowsOf(alone, "pragma journal_mode = delete"), "delete");
  }
  Database one(in(memory));
  Database two(in(memory));
  run(one, "create table t (x)");
  run(one, "begin");
  EXPECT_EQ(rowsOf(one, "select count(*) from t"), "0");
  run(two, "begin immediate");
  run(two, "insert into t values (1)");
  EXPECT_EQ(answerOf(one, "insert into t values (2)"), "unavailable: SQLITE_BUSY");
  EXPECT_EQ(answerOf(two, "commit"), "unavailable: SQLITE_BUSY");  // PENDING: it is being read.
  Database three(in(memory));
  EXPECT_EQ(answerOf(three, "select count(*) from t"), "unavailable: SQLITE_BUSY");
  run(one, "commit");
  run(two, "commit");
  EXPECT_EQ(rowsOf(three, "select count(*) from t"), "1");
  run(three, "begin");
  run(three, "insert into t values (2)");
  run(three, "rollback");
  EXPECT_EQ(rowsOf(one, "pragma integrity_check"), "ok");
}

// The same statements on a file and in memory, by several connections that take turns: the same
// answers, whatever they are.
class Twins {
 public:
  explicit Twins(std::uint32_t seed) : random_(seed), memory_(std::make_shared<MemoryFile>()) {
    for (std::size_t i = 0; i < kConnections; ++i) reopen(i);
  }

  void step() {
    const std::size_t i = below(kConnections);
    if (below(200) == 0) return reopen(i);
    const std::string sql = statement();
    const std::string expected = answerOf(*files_[i], sql);
    ASSERT_EQ(answerOf(*memories_[i], sql), expected) << "connection " << i << ": " << sql;
    ASSERT_EQ(memories_[i]->inTransaction(), files_[i]->inTransaction()) << sql;
  }

  void checkContent() {
    for (std::size_t i = 0; i < kConnections; ++i) {
      if (files_[i]->inTransaction()) {
        run(*files_[i], "rollback");
        run(*memories_[i], "rollback");
      }
    }
    for (const char* sql : {"pragma integrity_check", "select * from a order by id, x",
                            "select name, sql from sqlite_schema", "pragma page_count"}) {
      EXPECT_EQ(answerOf(*memories_[0], sql), answerOf(*files_[0], sql)) << sql;
    }
  }

 private:
  static constexpr std::size_t kConnections = 3;

  std::uint32_t below(std::size_t end) {
    return static_cast<std::uint32_t>(random_() % static_cast<std::uint32_t>(end));
  }

  void reopen(std::size_t i) {
    const Limits limits{.busyTimeMax = milliseconds(0)};
    files_[i].reset();
    memories_[i].reset();
    files_[i] =
        std::make_unique<Database>(DatabaseOptions{.file = folder_ / "twin.db", .limits = limits});
    memories_[i] = std::make_unique<Database>(DatabaseOptions{.memory = memory_, .limits = limits});
  }

  std::string statement() {
    const std::uint32_t id = below(300);
    switch (below(22)) {
      case 0:
        return "begin";
      case 1:
        return "begin immediate";
      case 2:
      case 3:
        return "commit";
      case 4:
        return "rollback";
      case 5:
        return "savepoint s";
      case 6:
        return "rollback to s";
      case 7:
        return "release s";
      case 8:
        return "create table if not exists a (id integer primary key, x blob, y text)";
      case 9:
        return "create index if not exists a_y on a (y)";
      case 10:
        return below(8) == 0 ? "drop index if exists a_y" : "select count(*), max(y) from a";
      case 11:
        return str("select length(x), y from a where y > 'y", id, "' order by y limit 5");
      case 12:
        return str("pragma wal_checkpoint", below(3) == 0 ? "(truncate)" : "(passive)");
      case 13:
        return str("delete from a where id between ", id, " and ", id + below(30));
      case 14:
        return str("update a set x = zeroblob(", below(20'000), "), y = 'y", below(500),
                   "' where id % 10 = ", below(10));
      case 15:
        return str("insert into a with recursive c (i) as (select 1 union all select i + 1 from c",
                   " where i < ", below(200), ") select null, zeroblob(i * 10), 'z' || i from c");
      case 16:
        return str("select sum(length(x)), group_concat(id) from a where id > ", id);
      case 17:
        return below(10) == 0 ? "pragma journal_mode = delete" : "pragma journal_mode";
      case 18:
        return below(3) == 0 ? "pragma journal_mode = wal" : "pragma freelist_count";
      default:
        return str("insert or replace into a values (", id, ", zeroblob(", below(9'000), "), 'y",
                   below(1'000), "')");
    }
  }

  const TemporaryFolder folder_;
  std::mt19937 random_;
  const std::shared_ptr<MemoryFile> memory_;
  std::array<std::unique_ptr<Database>, kConnections> files_;
  std::array<std::unique_ptr<Database>, kConnections> memories_;
};

TEST(MemoryFile, AnswersLikeAFile) {
  const std::uint32_t seed = seedOr(20'261'123);
  for (std::uint32_t round = 0; round < 3; ++round) {
    SCOPED_TRACE(str("seed ", seed, ", round ", round));
    Twins twins(seed + round);
    for (int i = 0; i < 700; ++i) {
      twins.step();
      if (HasFatalFailure()) return;
    }
    twins.checkContent();
  }
}

// Threads that move amounts between accounts, and others that add them up all the time.
TEST(MemoryFile, StaysWholeUnderLoadFromManyThreads) {
  const std::uint32_t seed = seedOr(4711);
  const auto memory = std::make_shared<MemoryFile>();
  const DatabaseOptions options{.memory = memory};
  Database database(options);
  run(database, "create table t (id integer primary key, amount integer, ballast blob)");
  run(database,
      "insert into t with recursive c (i) as (select 1 union all select i + 1 from c"
      " where i < 200) select i, 100, zeroblob(500) from c");
  std::atomic<int> writersLeft{2};
  std::atomic<int> committed{0};
  std::vector<std::thread> threads;
  for (std::uint32_t writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&options, &writersLeft, &committed, seed, writer] {
      std::mt19937 random(seed + writer);
      Database own(options);
      for (int i = 0; i < 400; ++i) {
        run(own, "begin immediate");
        const auto amount = random() % 50;
        run(own,
            str("update t set amount = amount - ", amount, " where id = ", random() % 200 + 1));
        run(own, str("update t set amount = amount + ", amount, ", ballast = zeroblob(",
                     random() % 9'000, ") where id = ", random() % 200 + 1));
        const bool keeps = random() % 4 != 0;
        run(own, keeps ? "commit" : "rollback");
        committed += keeps ? 1 : 0;
        if (i % 100 == 99) own.prepare("pragma wal_checkpoint(restart)", Rules::Host).run();
      }
      --writersLeft;
    });
  }
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&options, &writersLeft] {
      while (writersLeft != 0) {
        Database own(options);
        for (int i = 0; i < 20; ++i) {
          run(own, "begin");
          // A row may be moved between these; a snapshot does not change.
          EXPECT_EQ(rowsOf(own, "select sum(amount) from t"), "20000");
          EXPECT_EQ(rowsOf(own, "select count(*), sum(amount) from t"), "200|20000");
          run(own, "commit");
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(committed, 0);
  EXPECT_EQ(rowsOf(database, "pragma integrity_check"), "ok");
  EXPECT_EQ(rowsOf(database, "select sum(amount) from t"), "20000");
}

// The first and the last connection make and remove the log and its index.
TEST(MemoryFile, IsOpenedAndClosedByManyThreadsAtOnce) {
  const auto memory = std::make_shared<MemoryFile>();
  const DatabaseOptions options{.memory = memory};
  {
    Database database(options);
    run(database, "create table t (x)");
  }
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&options] {
      for (int i = 0; i < 200; ++i) {
        Database own(options);
        run(own, "insert into t values (1)");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Database database(options);
  EXPECT_EQ(rowsOf(database, "select count(*) from t"), "800");
  EXPECT_EQ(rowsOf(database, "pragma integrity_check"), "ok");
}

}  // namespace
}  // namespace schemascript
