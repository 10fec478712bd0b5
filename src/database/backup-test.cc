// Backups of databases that are in use, and their way back.
#include "database/backup.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/testing.h"
#include "database/database.h"

namespace schemascript {
namespace {

class BackingUp : public testing::Test {
 protected:
  void fill(const std::filesystem::path& file, int rows) {
    Database database({.file = file});
    database.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)", Rules::Host);
    database.execute(str("INSERT INTO t (v) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + "
                         "1 FROM n WHERE i < ",
                         rows, ") SELECT printf('%0500d', i) FROM n"),
                     Rules::Host);
  }

  // The integers of a query's only row.
  static std::vector<std::int64_t> row(Database& database, std::string_view sql) {
    Statement statement = database.prepare(sql, Rules::Host);
    Execution execution(statement, {});
    EXPECT_TRUE(execution.step());
    std::vector<std::int64_t> values;
    for (int column = 0; column < statement.columnCount(); ++column) {
      values.push_back(execution.column(column).integer);
    }
    return values;
  }

  static std::int64_t count(const std::filesystem::path& file) {
    Database database({.file = file, .access = Access::ReadOnly});
    return row(database, "SELECT count(*) FROM t").front();
  }

  TemporaryFolder folder_;
};

TEST_F(BackingUp, CopiesAndBringsBack) {
  const auto from = folder_ / "app.db";
  const auto to = folder_ / "backup.db";
  fill(from, 5'000);
  std::uint64_t last = 0, whole = 0;
  const BackupResult result =
      backUp(from, to, Replace::No, [&](std::uint64_t done, std::uint64_t pages) {
        EXPECT_GE(done, last);
        last = done;
        whole = pages;
      });
  EXPECT_EQ(last, whole);
  EXPECT_GT(whole, 500u);
  EXPECT_EQ(result.bytes, std::filesystem::file_size(to));
  EXPECT_EQ(count(to), 5'000);
  fill(from, 10);
  restore(to, from, Replace::Yes);
  EXPECT_EQ(count(from), 5'000);
  restore(to, folder_ / "new.db", Replace::No);
  EXPECT_EQ(count(folder_ / "new.db"), 5'000);
}

TEST_F(BackingUp, SeesOneMomentWhileOthersWrite) {
  const auto from = folder_ / "app.db";
  fill(from, 2'000);
  {
    Database database({.file = from});
    database.execute("CREATE TABLE pairs (a INTEGER, b INTEGER)", Rules::Host);
  }
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    Database database({.file = from});
    for (int i = 0; !stop; ++i) {
      // Two statements of one transaction: no copy may have one without the other.
      database.execute("BEGIN IMMEDIATE", Rules::Host);
      database.execute(str("INSERT INTO pairs VALUES (", i, ", 0)"), Rules::Host);
      database.execute(str("UPDATE pairs SET b = a WHERE a = ", i), Rules::Host);
      database.execute("COMMIT", Rules::Host);
      ++written;
    }
  });
  while (written < 10) std::this_thread::yield();
  for (int round = 0; round < 5; ++round) {
    const auto to = folder_ / ("copy-" + std::to_string(round));
    backUp(from, to, Replace::No);
    Database copy({.file = to, .access = Access::ReadOnly});
    const auto found = row(copy, "SELECT count(*), sum(a = b), max(a) + 1 FROM pairs");
    EXPECT_GE(found[0], 10);
    EXPECT_EQ(found[1], found[0]);
    EXPECT_EQ(found[2], found[0]);
  }
  stop = true;
  writer.join();
}

// Whoever has the database open goes on, with the content of the backup.
TEST_F(BackingUp, RestoresUnderAnOpenConnection) {
  const auto file = folder_ / "app.db";
  fill(file, 100);
  backUp(file, folder_ / "backup.db", Replace::No);
  Database open({.file = file});
  open.execute("DELETE FROM t", Rules::Host);
  restore(folder_ / "backup.db", file, Replace::Yes);
  EXPECT_EQ(row(open, "SELECT count(*) FROM t").front(), 100);
}

TEST_F(BackingUp, LosesNothingWhenItCannot) {
  const auto from = folder_ / "app.db";
  const auto to = folder_ / "backup.db";
  fill(from, 100);
  expectError(ErrorCode::InvalidRequest, "there is no database " + (folder_ / "none").string(),
              [&] { backUp(folder_ / "none", to, Replace::No); });
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none"));
  std::ofstream(to) << "precious";
  expectError(ErrorCode::InvalidRequest,
              to.string() + " exists; choose another name, or replace it with --force",
              [&] { backUp(from, to, Replace::No); });
  expectError(ErrorCode::InvalidRequest,
              from.string() + " and " + from.string() + " are the same file",
              [&] { backUp(from, from, Replace::Yes); });
  // The progress ends it: nothing of it stays.
  EXPECT_THROW(backUp(from, to, Replace::Yes, [](auto, auto) { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_EQ(readFile(to), "precious");
  // What is no database, and what is damaged.
  EXPECT_EQ(errorOf([&] { restore(to, from, Replace::Yes); }).code(), ErrorCode::InvalidRequest);
  EXPECT_EQ(errorOf([&] { backUp(to, folder_ / "x.db", Replace::No); }).code(),
            ErrorCode::InvalidRequest);
  EXPECT_EQ(count(from), 100);
  backUp(from, to, Replace::Yes);
  {
    std::fstream damaged(to, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(8192);
    damaged << std::string(4096, '\xff');
  }
  EXPECT_EQ(errorOf([&] { restore(to, from, Replace::Yes); }).code(), ErrorCode::Unavailable);
  EXPECT_EQ(count(from), 100);
  // Nothing is left beside them.
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(entry.path().native().find("partial"), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace schemascript
