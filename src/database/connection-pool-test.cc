#include "database/connection-pool.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <thread>

#include "base/testing.h"

namespace schemascript {
namespace {

std::int64_t count(Database& database) {
  Statement statement = database.prepare("select count(*) from t", Rules::Guest);
  Execution execution(statement);
  EXPECT_TRUE(execution.step());
  return execution.column(0).integer;
}

class ConnectionPoolTest : public testing::TestWithParam<bool> {
 protected:
  DatabaseOptions options(Limits limits = {}) const {
    return {.file = GetParam() ? folder_ / "a.db" : std::filesystem::path(), .limits = limits};
  }

  const TemporaryFolder folder_;
};

TEST_P(ConnectionPoolTest, LendsConnectionsToOneDatabase) {
  ConnectionPool pool(options());
  Connection first = pool.lend();
  Connection second = pool.lend();
  EXPECT_NE(&*first, &*second);
  first->execute("create table t (a)", Rules::Guest);
  first->execute("begin immediate", Rules::Host);
  first->execute("insert into t values (1)", Rules::Guest);
  EXPECT_EQ(count(*second), 0);  // And does not wait.
  first->execute("commit", Rules::Host);
  EXPECT_EQ(count(*second), 1);
}

TEST_P(ConnectionPoolTest, LendsTheLastOneAgain) {
  ConnectionPool pool(options());
  const Database* last = nullptr;
  {
    Connection first = pool.lend();
    const Connection second = pool.lend();
    last = &*first;
    EXPECT_EQ(pool.counters().lent, 2u);
  }
  EXPECT_EQ(pool.counters().lent, 0u);
  EXPECT_EQ(pool.counters().idle, 2u);
  EXPECT_EQ(&*pool.lend(), last);
}

TEST_P(ConnectionPoolTest, ClosesWhatIsLeftInATransaction) {
  ConnectionPool pool(options());
  pool.lend()->execute("create table t (a)", Rules::Guest);
  {
    const Connection left = pool.lend();
    left->execute("begin immediate", Rules::Host);
    left->execute("insert into t values (1)", Rules::Guest);
  }
  EXPECT_EQ(pool.counters().idle, 0u);
  const Connection next = pool.lend();
  EXPECT_EQ(count(*next), 0);
  next->execute("insert into t values (2)", Rules::Guest);
}

TEST_P(ConnectionPoolTest, ClosesWhatWasWithoutMemory) {
  ConnectionPool pool(options());
  {
    const Connection lent = pool.lend();
    lent->execute("create table t (a)", Rules::Guest);
    EXPECT_TRUE(lent->isReusable());
    const sqlite3_int64 before = sqlite3_hard_heap_limit64(sqlite3_memory_used() + 1'000'000);
    errorOf([&] { lent->execute("select hex(zeroblob(10000000))", Rules::Guest); });
    sqlite3_hard_heap_limit64(before);
    EXPECT_FALSE(lent->isReusable());
  }
  EXPECT_EQ(pool.counters().lent, 0u);
  EXPECT_EQ(pool.counters().idle, 0u);
}

TEST_P(ConnectionPoolTest, LendsAsManyAsTheLimit) {
  ConnectionPool pool(options({.connectionsMax = 2}));
  const Connection first = pool.lend();
  {
    const Connection second = pool.lend();
    EXPECT_EQ(errorOf([&] { pool.lend(); }).code(), ErrorCode::Unavailable);
  }
  EXPECT_NO_THROW(pool.lend());
}

// A burst of calls does not leave its connections behind.
TEST_P(ConnectionPoolTest, KeepsFewThatNobodyUses) {
  ConnectionPool pool(options());
  std::vector<Connection> lent;
  for (std::size_t count = 0; count < 3 * kIdleConnectionsMax; ++count) {
    lent.push_back(pool.lend());
  }
  EXPECT_EQ(pool.counters().lent, 3 * kIdleConnectionsMax);
  lent.clear();
  EXPECT_EQ(pool.counters().lent, 0u);
  EXPECT_EQ(pool.counters().idle, kIdleConnectionsMax);
  EXPECT_NO_THROW(pool.lend()->execute("select 1", Rules::Host));
}

TEST_P(ConnectionPoolTest, CountsWhatTheStatementCachesDid) {
  ConnectionPool pool(options({.cachedStatementsMax = 2}));
  {
    const Connection connection = pool.lend();
    for (const char* sql : {"select 1", "select 1", "select 2", "select 3", "select 3"}) {
      connection->lend(sql);
    }
  }
  const ConnectionPool::Counters counters = pool.counters();
  EXPECT_EQ(counters.statements.hits, 2u);
  EXPECT_EQ(counters.statements.misses, 3u);
  EXPECT_EQ(counters.statements.evictions, 1u);
}

TEST_P(ConnectionPoolTest, IsUsedByManyThreads) {
  ConnectionPool pool(options());
  pool.lend()->execute("create table t (a)", Rules::Guest);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 6; ++thread) {
    threads.emplace_back([&pool] {
      Writer writer(pool.writers());
      for (int round = 0; round < 50; ++round) {
        const Connection connection = pool.lend();
        if (round % 2 == 0) {
          count(*connection);
        } else {
          const WriterTurn turn = pool.writers().takeTurn(writer);
          connection->execute("insert into t values (1)", Rules::Guest);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count(*pool.lend()), 150);
  EXPECT_EQ(pool.counters().lent, 0u);
}

INSTANTIATE_TEST_SUITE_P(Pools, ConnectionPoolTest, testing::Bool(),
                         [](const auto& name) { return name.param ? "File" : "Memory"; });

}  // namespace
}  // namespace schemascript
