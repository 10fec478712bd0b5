#include "database/statement-cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/testing.h"
#include "database/database.h"

namespace schemascript {
namespace {

TEST(StatementCache, LendsTheSameStatementAgain) {
  Database database({});
  const Statement* first = nullptr;
  {
    Lease lease = database.lend("select 1");
    first = &*lease;
  }
  Lease again = database.lend("select 1");
  EXPECT_EQ(&*again, first);
  EXPECT_EQ(database.cacheCounters().hits, 1u);
  EXPECT_EQ(database.cacheCounters().misses, 1u);
}

TEST(StatementCache, PutsAStatementInOneHandOnly) {
  Database database({});
  Lease first = database.lend("select 1");
  Lease second = database.lend("select 1");
  EXPECT_NE(&*first, &*second);
  EXPECT_EQ(database.cacheCounters().misses, 2u);
}

TEST(StatementCache, DropsTheOneThatWasUnusedForLongest) {
  Database database({.limits = {.cachedStatementsMax = 2}});
  StatementCache cache(database);
  cache.lend("select 1");
  cache.lend("select 2");
  EXPECT_EQ(cache.counters().evictions, 0u);
  cache.lend("select 1");
  cache.lend("select 3");
  EXPECT_EQ(cache.counters().evictions, 1u);
  EXPECT_EQ(cache.size(), 2u);
  cache.lend("select 1");
  cache.lend("select 3");
  EXPECT_EQ(cache.counters().hits, 3u);
  cache.lend("select 2");
  EXPECT_EQ(cache.counters().misses, 4u);
}

TEST(StatementCache, NeverDropsWhatIsLent) {
  Database database({.limits = {.cachedStatementsMax = 1}});
  StatementCache cache(database);
  Lease first = cache.lend("select 1");
  {
    Lease second = cache.lend("select 2");
    EXPECT_EQ(second->run().rows, 0);
  }
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(first->sql(), "select 1");
}

TEST(StatementCache, DoesNotKeepLongTexts) {
  Database database({.limits = {.cachedSqlBytesMax = 10}});
  StatementCache cache(database);
  cache.lend("select 123");
  EXPECT_EQ(cache.size(), 1u);
  cache.lend("select 1234");
  EXPECT_EQ(cache.size(), 1u);
}

TEST(StatementCache, KnowsTextsByWhatWasAskedForAndNotByWhatSqliteKept) {
  Database database({.limits = {.cachedStatementsMax = 2}});
  StatementCache cache(database);
  for (int i = 0; i < 3; ++i) cache.lend("select 1; -- a comment");
  EXPECT_EQ(cache.counters().hits, 2u);
  cache.lend("select 1;");
  cache.lend("select 2");
  EXPECT_EQ(cache.size(), 2u);
}

TEST(StatementCache, TakesBackAFailedStatement) {
  Database database({});
  database.execute("create table t (id integer primary key)", Rules::Guest);
  const auto insert = [&database] {
    const ValueView one = ValueView::ofInteger(1);
    database.lend("insert into t values (?)")->run({&one, 1});
  };
  insert();
  EXPECT_THROW(insert(), Error);
  database.execute("delete from t", Rules::Guest);
  insert();
  EXPECT_EQ(database.cacheCounters().misses, 1u);
}

TEST(StatementCache, SurvivesAChangeOfTheSchema) {
  Database database({});
  database.execute("create table t (a)", Rules::Guest);
  EXPECT_EQ(database.lend("select * from t")->columnCount(), 1);
  database.execute("alter table t add column b", Rules::Guest);
  Lease lease = database.lend("select * from t");
  {
    Execution execution(*lease);
    EXPECT_FALSE(execution.step());
  }
  EXPECT_EQ(lease->columnCount(), 2);
  database.execute("drop table t", Rules::Guest);
  expectError(ErrorCode::InvalidRequest, "no such table: t", [&] { lease->run(); });
}

TEST(StatementCache, KeepsNothingThatCouldNotBeCompiled) {
  Database database({});
  StatementCache cache(database);
  EXPECT_THROW(cache.lend("nonsense"), Error);
  EXPECT_EQ(cache.size(), 0u);
}

TEST(StatementCache, NeverLendsWhatWasCompiledUnderOtherCapabilities) {
  Database database({});
  database.execute("create table t (a)", Rules::Guest);
  const auto parse = [](const std::vector<std::string>& reads) {
    return Capabilities::parse(reads, {});
  };
  constexpr std::string_view kSql = "select a from t";
  const Statement* const free = &*database.lend(kSql);
  database.useCapabilities(parse({"t"}));
  const Statement* const restricted = &*database.lend(kSql);
  EXPECT_NE(restricted, free);
  EXPECT_EQ(database.cacheCounters().misses, 2u);
  // Equal ones are the same, however they were written and wherever they are.
  database.useCapabilities(parse({"T.a", "\"t\""}));
  EXPECT_EQ(&*database.lend(kSql), restricted);
  EXPECT_EQ(database.cacheCounters().hits, 1u);
  database.useCapabilities(parse({"t.b"}));
  EXPECT_THROW(database.lend(kSql), NotAllowed);
  EXPECT_THROW(database.lend(kSql), NotAllowed);
  EXPECT_EQ(database.cacheCounters().hits, 1u);
  EXPECT_EQ(database.cacheCounters().misses, 4u);
  database.useCapabilities(nullptr);
  EXPECT_EQ(&*database.lend(kSql), free);
  EXPECT_EQ(database.cacheCounters().hits, 2u);
  EXPECT_EQ(database.cacheCounters().evictions, 0u);
}

TEST(StatementCache, DropsStatementsOfOldCapabilitiesInTheirTurn) {
  Database database({.limits = {.cachedStatementsMax = 3}});
  database.execute("create table t (a)", Rules::Guest);
  for (int i = 0; i < 10; ++i) {
    const std::vector<std::string> reads{"t", str("other", i)};
    database.useCapabilities(Capabilities::parse(reads, {}));
    database.lend("select a from t");
    database.lend("select a from t");
  }
  EXPECT_EQ(database.cacheCounters().misses, 10u);
  EXPECT_EQ(database.cacheCounters().hits, 10u);
  EXPECT_EQ(database.cacheCounters().evictions, 7u);
}

}  // namespace
}  // namespace schemascript
