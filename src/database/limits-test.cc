// What SQLite may take of the machine for one connection: just inside, just outside, and that
// nothing is left of what was refused.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/testing.h"
#include "base/units.h"
#include "database/allocation.h"
#include "database/connection-pool.h"
#include "database/database.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kPageBytes = 4096;

std::int64_t number(Database& database, std::string_view sql) {
  Statement statement = database.prepare(sql, Rules::Guest);
  Execution execution(statement);
  EXPECT_TRUE(execution.step());
  return execution.column(0).integer;
}

// `count` rows of a thousand bytes that no two share.
std::string rows(int count) {
  return str("with recursive n (i) as (select 1 union all select i + 1 from n where i < ", count,
             ") select i || hex(zeroblob(500)) from n");
}

void insertRows(Database& database, int count) {
  database.execute(str("insert into t (a) ", rows(count)), Rules::Guest);
}

// Over a file, and in memory: alone, and as a pool has it.
enum class Kind : std::uint8_t { File, Alone, Shared };

std::string nameOf(Kind kind) {
  if (kind == Kind::File) return "File";
  return kind == Kind::Alone ? "Alone" : "Shared";
}

class DatabaseBytes : public testing::TestWithParam<Kind> {
 protected:
  static constexpr std::uint64_t kPages = 100;

  DatabaseOptions options(std::uint64_t bytesMax) {
    DatabaseOptions options{.limits = {.databaseBytesMax = bytesMax}};
    if (GetParam() == Kind::File) options.file = folder_ / "a.db";
    if (GetParam() == Kind::Shared) options.memory = memory_;
    return options;
  }
  std::string nameOfDatabase() const {
    return GetParam() == Kind::File ? (folder_ / "a.db").string() : "the database in memory";
  }
  void expectFull(Database& database, std::uint64_t bytesMax) {
    expectError(
        ErrorCode::LimitExceeded,
        str(nameOfDatabase(), " would be larger than databaseBytesMax (", formatSize(bytesMax),
            "); delete what is not needed, or allow more (SQLITE_FULL)"),
        [&database] { insertRows(database, 10'000); });
  }

  const TemporaryFolder folder_;
  const std::shared_ptr<MemoryFile> memory_ = std::make_shared<MemoryFile>();
};

TEST_P(DatabaseBytes, EndAtTheirNumber) {
  const std::uint64_t bytesMax = kPages * kPageBytes;
  Database database(options(bytesMax));
  database.execute("create table t (id integer primary key, a)", Rules::Guest);
  insertRows(database, 100);
  expectFull(database, bytesMax);
  EXPECT_EQ(number(database, "select count(*) from t"), 100);
  // Up to the last page.
  for (;;) {
    try {
      insertRows(database, 1);
    } catch (const LimitExceeded&) {
      break;
    }
  }
  EXPECT_EQ(number(database, "pragma page_count"), static_cast<std::int64_t>(kPages));
  // What is deleted makes room.
  database.execute("delete from t where id > 50", Rules::Guest);
  EXPECT_NO_THROW(insertRows(database, 100));
  EXPECT_EQ(number(database, "select count(*) from t"), 150);
}

TEST_P(DatabaseBytes, GuestsCannotChangeIt) {
  Database database(options(kPages * kPageBytes));
  for (const char* sql :
       {"pragma max_page_count = 1000000", "pragma max_page_count", "pragma page_size = 65536",
        "pragma main.max_page_count(1000000)", "vacuum", "pragma cache_size = 1000000",
        "pragma temp_store = 2", "pragma temp_store_directory = '/tmp'", "pragma mmap_size = 1",
        "pragma soft_heap_limit = 1", "pragma hard_heap_limit = 1", "pragma cache_spill = 0"}) {
    EXPECT_EQ(errorOf([&] { database.execute(sql, Rules::Guest); }).code(), ErrorCode::NotAllowed)
        << sql;
  }
}

TEST_P(DatabaseBytes, HoldWhenSeveralConnectionsWrite) {
  if (GetParam() == Kind::Alone) GTEST_SKIP();
  const std::uint64_t bytesMax = kPages * kPageBytes;
  Database first(options(bytesMax));
  Database second(options(bytesMax));
  first.execute("create table t (id integer primary key, a)", Rules::Guest);
  insertRows(first, 100);
  insertRows(second, 100);
  expectFull(first, bytesMax);
  expectFull(second, bytesMax);
  EXPECT_EQ(number(second, "select count(*) from t"), 200);
  EXPECT_LE(number(first, "pragma page_count"), static_cast<std::int64_t>(kPages));
}

TEST_P(DatabaseBytes, ALargerDatabaseIsReadAndEmptied) {
  if (GetParam() == Kind::Alone) GTEST_SKIP();
  {
    Database database(options(Limits{}.databaseBytesMax));
    database.execute("create table t (id integer primary key, a)", Rules::Guest);
    insertRows(database, 2'000);
  }
  const std::uint64_t bytesMax = kPages * kPageBytes;
  Database database(options(bytesMax));
  EXPECT_EQ(number(database, "select count(*) from t where length(a) > 1000"), 2'000);
  expectFull(database, bytesMax);
  database.execute("update t set a = 'x' where id = 7", Rules::Guest);
  database.execute("delete from t where id > 10", Rules::Guest);
  EXPECT_NO_THROW(insertRows(database, 1'000));
  expectFull(database, bytesMax);
  EXPECT_EQ(number(database, "select count(*) from t"), 1'010);
  // From elsewhere it grows while this connection is open.
  Database other(options(Limits{}.databaseBytesMax));
  insertRows(other, 5'000);
  EXPECT_EQ(number(database, "select count(*) from t where length(a) > 1000"), 6'009);
  expectFull(database, bytesMax);
  database.execute("delete from t", Rules::Guest);
  EXPECT_EQ(number(database, "select count(*) from t"), 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DatabaseBytes,
                         testing::Values(Kind::File, Kind::Alone, Kind::Shared),
                         [](const auto& parameter) { return nameOf(parameter.param); });

TEST(DatabaseBytesOfAPool, AreThoseOfItsMemory) {
  const std::uint64_t bytesMax = 100 * kPageBytes;
  ConnectionPool pool({.limits = {.databaseBytesMax = bytesMax}});
  EXPECT_EQ(pool.options().memory->options().bytesMax, bytesMax);
  Connection connection = pool.lend();
  connection->execute("create table t (a)", Rules::Guest);
  expectError(ErrorCode::LimitExceeded,
              "the database in memory would be larger than databaseBytesMax (400kb); delete what "
              "is not needed, or allow more (SQLITE_FULL)",
              [&] { insertRows(*connection, 10'000); });
}

// SQLite says SQLITE_FULL for that, too.
TEST(UsedUpIds, AreNoFullDatabase) {
  Database database(DatabaseOptions{});
  database.execute("create table t (id integer primary key autoincrement, a)", Rules::Guest);
  database.execute("insert into t (id) values (9223372036854775807)", Rules::Guest);
  expectError(ErrorCode::Conflict,
              "the ids of t are used up: the largest one of all was inserted (SQLITE_FULL)",
              [&] { database.execute("insert into t (a) values (1)", Rules::Guest); });
}

class TemporaryBytes : public testing::TestWithParam<bool> {
 protected:
  static constexpr std::uint64_t kBytesMax = 8u << 20;

  TemporaryBytes()
      : database_({.file = GetParam() ? folder_ / "a.db" : std::filesystem::path(),
                   .memory = GetParam() ? nullptr : std::make_shared<MemoryFile>(),
                   .limits = {.temporaryBytesMax = kBytesMax}}) {
    database_.execute("create table t (id integer primary key, a)", Rules::Guest);
  }

  void expectTooLarge(std::string_view sql) {
    SCOPED_TRACE(sql);
    expectError(ErrorCode::LimitExceeded,
                "the temporary files of this statement are larger than temporaryBytesMax (8mb); "
                "let it sort less, or use an index (SQLITE_FULL)",
                [&] { database_.execute(sql, Rules::Guest); });
    EXPECT_EQ(database_.use().temporaryBytes, 0u);
    EXPECT_TRUE(database_.isReusable());
  }
  static std::string sorted(int count) {
    return str("select count(*) from (select * from (", rows(count), ") order by 1 limit ", count,
               ")");
  }

  const TemporaryFolder folder_;
  Database database_;
};

TEST_P(TemporaryBytes, OfSortsEndAtTheirNumber) {
  Statement statement =
      database_.prepare(str("select * from (", rows(7'000), ") order by 1"), Rules::Guest);
  {
    Execution execution(statement);
    ASSERT_TRUE(execution.step());
    EXPECT_GT(database_.use().temporaryBytes, 5'000'000u);
    EXPECT_LE(database_.use().temporaryBytes, kBytesMax);
  }
  EXPECT_EQ(database_.use().temporaryBytes, 0u);
  expectTooLarge(str("select * from (", rows(10'000), ") order by 1"));
  EXPECT_NO_THROW(statement.run());
}

TEST_P(TemporaryBytes, OfMaterialisedRowsEndAtTheirNumber) {
  const auto distinct = [](int count) {
    return str("select count(*) from (select distinct * from (", rows(count), "))");
  };
  EXPECT_NO_THROW(database_.execute(distinct(2'000), Rules::Guest));
  expectTooLarge(distinct(20'000));
  expectTooLarge(str("select * from (", rows(20'000), ") union select * from (", rows(10), ")"));
  EXPECT_NO_THROW(database_.execute("select 1 union select 2", Rules::Guest));
}

TEST_P(TemporaryBytes, OfIndexesEndAtTheirNumber) {
  insertRows(database_, 10'000);
  expectTooLarge("create index i on t (a)");
  database_.execute("delete from t where id > 5000", Rules::Guest);
  EXPECT_NO_THROW(database_.execute("create index i on t (a)", Rules::Guest));
}

// What must be undone when a statement fails goes to a file, too.
TEST_P(TemporaryBytes, OfAStatementsJournalEndAtTheirNumber) {
  insertRows(database_, 20'000);
  database_.execute("begin", Rules::Host);
  database_.execute("update t set a = a || 'x' where id < 1000", Rules::Guest);
  expectError(ErrorCode::LimitExceeded,
              "the temporary files of this statement are larger than temporaryBytesMax (8mb); let "
              "it sort less, or use an index (SQLITE_FULL)",
              [&] { database_.execute("update t set id = -id", Rules::Guest); });
  if (database_.inTransaction()) database_.execute("rollback", Rules::Host);
  EXPECT_EQ(database_.use().temporaryBytes, 0u);
  EXPECT_EQ(number(database_, "select count(*) from t where id > 0"), 20'000);
}

TEST_P(TemporaryBytes, TablesAreRefused) {
  for (const char* sql :
       {"create temp table x (a)", "create temporary view x as select 1", "create table temp.x (a)",
        "create temp trigger x after insert on t begin select 1; end",
        "create view TEMP.x as select 1", "create table temp.y (a)",
        "create trigger temp.x after insert on t begin select 1; end",
        "create virtual table temp.x using rtree (a, b, c)",
        "create virtual table temp.x using fts5 (a)"}) {
    EXPECT_EQ(errorOf([&] { database_.execute(sql, Rules::Guest); }).code(), ErrorCode::NotAllowed)
        << sql;
  }
}

// A sorter reads and writes its files within one instruction.
TEST_P(TemporaryBytes, SortingEndsWithTheTime) {
  Database database({.limits = {.temporaryBytesMax = 4ull << 30}});
  database.startRun(1s);
  database.useDeadline(std::chrono::steady_clock::now() + 200ms, 200ms);
  const auto since = std::chrono::steady_clock::now();
  expectError(ErrorCode::LimitExceeded,
              "the statements of this call have taken all of their time: sqlTimeMax is 200ms",
              [&] { database.execute(sorted(2'000'000), Rules::Guest); });
  EXPECT_LT(std::chrono::steady_clock::now() - since, 2s);
  database.startRun(1s);
  EXPECT_EQ(number(database, sorted(10)), 10);
}

INSTANTIATE_TEST_SUITE_P(Kinds, TemporaryBytes, testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "File" : "Memory"; });

class SqliteBytes : public testing::Test {
 protected:
  static constexpr std::uint64_t kBytesMax = 16u << 20;

  SqliteBytes() {
    database_.execute("create table t (id integer primary key, a)", Rules::Guest);
    insertRows(database_, 20'000);
    database_.execute("create virtual table words using fts5 (a)", Rules::Guest);
    database_.execute("insert into words select 'word' || id || ' and ' || (id % 10) from t",
                      Rules::Guest);
  }

  // As often as one likes: nothing stays.
  void expectTooMuch(std::string_view sql) {
    SCOPED_TRACE(sql);
    for (int round = 0; round < 2; ++round) {
      const Error error = errorOf([&] { database_.execute(sql, Rules::Guest); });
      EXPECT_EQ(nameOf(error.code()), nameOf(ErrorCode::LimitExceeded));
      EXPECT_TRUE(error.message().starts_with(
          "SQLite takes more memory for this than sqliteBytesMax (16mb); ask for less at once"))
          << error.message();
      EXPECT_LT(database_.use().sqliteBytes, kBytesMax / 2);
    }
    EXPECT_FALSE(database_.inTransaction());
    EXPECT_EQ(number(database_, "select count(*) from t"), 20'000);
  }

  Database database_{
      {.memory = std::make_shared<MemoryFile>(), .limits = {.sqliteBytesMax = kBytesMax}}};
};

TEST_F(SqliteBytes, EndAtTheirNumber) {
  EXPECT_EQ(number(database_, "select length(group_concat(a, '')) from t where id <= 2000") / 1'000,
            2'006);
  expectTooMuch("select length(group_concat(a, '')) from t");
  EXPECT_EQ(number(database_, "select length(randomblob(10000000))"), 10'000'000);
  expectTooMuch("select length(randomblob(20000000))");
}

TEST_F(SqliteBytes, EndWhateverTakesThem) {
  for (const char* sql : {
           "select hex(zeroblob(20000000))",
           "select zeroblob(20000000) || 'x'",
           "select json_group_array(a) from t",
           "select json_group_object(id, a) from t",
           "select printf('%40000000d', 1)",
           "select replace(hex(zeroblob(1000000)), '0', 'abcdefghij')",
           "select string_agg(a, 'x') over (order by id) from t",
           "select a, group_concat(a) over (rows between unbounded preceding and current row) "
           "from t",
           "with recursive n (i, s) as (select 1, 'x' union all select i + 1, s || s from n) "
           "select max(length(s)) from n",
           "select max(a.x || b.x) from (select hex(randomblob(4000000)) as x) as a, "
           "(select hex(randomblob(4000000)) as x) as b",
           "update t set a = (select group_concat(a) from t) where id = 1",
           "insert into words select group_concat(a) from t",
           "select randomblob(6000000), randomblob(6000000), randomblob(6000000)",
           "select json_pretty(json_array((select group_concat(a) from t where id < 4000)))",
       }) {
    expectTooMuch(sql);
  }
}

TEST_F(SqliteBytes, ASearchThatTakesThemEnds) {
  std::string search;
  for (int i = 0; i < 60'000; ++i) search += str(i == 0 ? "" : " OR ", "w", i, "*");
  Statement statement =
      database_.prepare("select count(*) from words where words match ?", Rules::Guest);
  const ValueView value = ValueView::ofText(search);
  const Error error = errorOf([&] { statement.run({&value, 1}); });
  EXPECT_EQ(nameOf(error.code()), nameOf(ErrorCode::LimitExceeded)) << error.message();
  EXPECT_NE(error.message().find("sqliteBytesMax (16mb)"), std::string::npos) << error.message();
  EXPECT_EQ(number(database_, "select count(*) from words where words match 'word7'"), 1);
}

TEST_F(SqliteBytes, CompilingCounts) {
  // A megabyte of text that becomes many expressions.
  std::string sql = "select 1 where 1 in (0";
  while (sql.size() < 1'000'000) sql += ",1";
  expectTooMuch(sql + ")");
}

TEST_F(SqliteBytes, WhatWasRefusedLeavesTheTransactionAsItWas) {
  database_.execute("begin", Rules::Host);
  database_.execute("delete from t where id = 1", Rules::Guest);
  errorOf([&] { database_.execute("select length(randomblob(20000000))", Rules::Guest); });
  EXPECT_FALSE(database_.isReusable());
  if (database_.inTransaction()) {
    EXPECT_EQ(number(database_, "select count(*) from t"), 19'999);
    database_.execute("rollback", Rules::Host);
  }
  EXPECT_EQ(number(database_, "select count(*) from t"), 20'000);
}

TEST_F(SqliteBytes, AreNoConcernOfTheHost) {
  EXPECT_NO_THROW(database_.execute("select length(randomblob(20000000))", Rules::Host));
  EXPECT_LT(database_.use().sqliteBytes, kBytesMax / 2);
}

// Neither of what a statement keeps, nor of what it gives back.
TEST_F(SqliteBytes, AreCountedToTheEnd) {
  const auto run = [this] {
    for (int i = 0; i < 200; ++i) {
      Lease lease = database_.lend(str("select max(a), ", i, " from t where id < ", i));
      lease->run();
      Statement blob = database_.prepare("select zeroblob(100000), a || 'x' from t", Rules::Guest);
      Execution execution(blob);
      ASSERT_TRUE(execution.step());
      EXPECT_EQ(execution.column(0).bytes.size(), 100'000u);
    }
  };
  run();
  const std::uint64_t once = database_.use().sqliteBytes;
  run();
  EXPECT_LT(database_.use().sqliteBytes, once + once / 10 + 10'000);
  EXPECT_GT(once, 0u);
}

TEST(SqliteBytesOfAPool, AConnectionThatWasRefusedMemoryIsReplaced) {
  ConnectionPool pool({.limits = {.sqliteBytesMax = 16u << 20}});
  {
    Connection connection = pool.lend();
    EXPECT_EQ(
        errorOf([&] { connection->execute("select randomblob(20000000)", Rules::Guest); }).code(),
        ErrorCode::LimitExceeded);
  }
  EXPECT_EQ(pool.counters().idle, 0u);
  EXPECT_NO_THROW(pool.lend()->execute("select 1", Rules::Guest));
}

}  // namespace
}  // namespace schemascript
