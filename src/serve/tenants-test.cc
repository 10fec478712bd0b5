// Databases of tenants: by name only, one pool each, closed when idle.
#include "serve/tenants.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <thread>

#include "base/testing.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

class ManyTenants : public testing::Test {
 protected:
  void make(std::string_view name) {
    Database({.file = folder_ / (std::string(name) + ".db")})
        .execute("CREATE TABLE t (x)", Rules::Host);
  }
  Tenants tenants(std::size_t openMax = 1'000) {
    return Tenants({.folder = folder_.path(), .idleTimeMax = 60s, .openMax = openMax});
  }

  TemporaryFolder folder_;
  Tenants::Clock::time_point now_ = Tenants::Clock::now();
};

TEST(TenantName, IsAFileNameAndALabel) {
  for (const char* const name :
       {"a", "0", "acme", "acme-1_b", "a--b",
        "a23456789012345678901234567890123456789012345678901234567890123"}) {
    EXPECT_TRUE(isTenantName(name)) << name;
  }
  for (const std::string_view name :
       {"", ".", "..", "../x", "a/b", "a\\b", "A", "-a", "_a", "a.b", "a b", "a%2f", "\xc3\xa4",
        "a:b", "~", "a\n", "a234567890123456789012345678901234567890123456789012345678901234"}) {
    EXPECT_FALSE(isTenantName(name)) << name;
  }
  EXPECT_FALSE(isTenantName(std::string_view("a\0b", 3)));
}

TEST_F(ManyTenants, AreListedByTheirNames) {
  make("beta");
  make("acme");
  std::ofstream(folder_ / "secret.txt") << "x";
  std::ofstream(folder_ / "Upper.db") << "x";
  std::filesystem::create_directory(folder_ / "folder.db");
  const Tenants all = tenants();
  EXPECT_EQ(all.names(), (std::vector<std::string>{"acme", "beta"}));
  std::filesystem::remove_all(folder_.path());
  EXPECT_EQ(errorOf([&] { all.names(); }).code(), ErrorCode::Unavailable);
}

TEST_F(ManyTenants, AreVisitedWithoutBeingKeptOpen) {
  make("acme");
  make("beta");
  Tenants all = tenants(1);
  const auto used = all.tryOpen("acme");
  EXPECT_EQ(all.tryVisit("acme"), used);
  EXPECT_EQ(all.tryVisit("beta").use_count(), 1);
  EXPECT_FALSE(all.tryVisit("nobody"));
  EXPECT_FALSE(all.tryVisit("../acme"));
  EXPECT_EQ(all.openCount(), 1u);
  EXPECT_EQ(all.tryOpen("acme"), used);
}

TEST_F(ManyTenants, OpensWhatIsThereAndMakesNothing) {
  make("acme");
  std::ofstream(folder_ / "secret.txt") << "x";
  Tenants all = tenants();
  const auto acme = all.tryOpen("acme");
  ASSERT_TRUE(acme);
  EXPECT_EQ(all.tryOpen("acme"), acme);
  for (const char* const name : {"nobody", "../acme", "acme.db", "ACME", ""}) {
    EXPECT_FALSE(all.tryOpen(name)) << name;
  }
  EXPECT_EQ(all.openCount(), 1u);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "nobody.db"));
  EXPECT_EQ(errorOf([&] { Tenants({.folder = folder_ / "none"}); }).code(),
            ErrorCode::InvalidRequest);
}

TEST_F(ManyTenants, ClosesThoseThatNobodyUses) {
  for (const char* const name : {"a", "b", "c"}) make(name);
  Tenants all = tenants();
  auto a = all.tryOpen("a", now_);
  all.tryOpen("b", now_);
  all.tryOpen("c", now_ + 30s);
  all.closeIdle(now_ + 59s);
  EXPECT_EQ(all.openCount(), 3u);
  all.closeIdle(now_ + 60s);
  EXPECT_EQ(all.openCount(), 2u);  // Somebody has a.
  const ConnectionPool* const first = a.get();
  EXPECT_EQ(all.tryOpen("a", now_ + 61s).get(), first);
  a.reset();
  all.closeIdle(now_ + 1h);
  EXPECT_EQ(all.openCount(), 0u);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.db-wal"));
  EXPECT_TRUE(all.tryOpen("a", now_ + 1h));
}

TEST_F(ManyTenants, KeepsABoundedNumberOpen) {
  for (int i = 0; i < 6; ++i) make(str("t", i));
  Tenants all = tenants(3);
  const auto kept = all.tryOpen("t0");
  for (int i = 1; i < 6; ++i) EXPECT_TRUE(all.tryOpen(str("t", i)));
  EXPECT_EQ(all.openCount(), 3u);
  EXPECT_EQ(all.tryOpen("t0"), kept);
  all.closeAll();
  EXPECT_EQ(all.openCount(), 1u);
}

TEST_F(ManyTenants, HasOnePoolEachForAllThreads) {
  for (int i = 0; i < 8; ++i) make(str("t", i));
  Tenants all = tenants(4);
  std::vector<std::thread> threads;
  std::mutex mutex;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < 200; ++round) {
        const auto pool = all.tryOpen(str("t", (round + thread) % 8));
        ASSERT_TRUE(pool);
        pool->lend()->execute("INSERT INTO t VALUES (1)", Rules::Host);
        all.closeIdle(Tenants::Clock::now() + 1h);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::int64_t rows = 0;
  for (int i = 0; i < 8; ++i) {
    const auto pool = all.tryOpen(str("t", i));
    Connection connection = pool->lend();
    Statement statement = connection->prepare("SELECT count(*) FROM t", Rules::Host);
    Execution execution(statement);
    ASSERT_TRUE(execution.step());
    rows += execution.column(0).integer;
  }
  EXPECT_EQ(rows, 1600);
}

}  // namespace
}  // namespace schemascript
