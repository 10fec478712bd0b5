// SQLite without memory: each allocation failing once, and all of them from one on.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <iostream>

#include "base/testing.h"
#include "database/transactions.h"
#include "fault-files.h"
#include "script.h"

namespace schemascript::faults {
namespace {

// So many runs that all of the file takes some seconds.
constexpr std::uint64_t kRuns = 80;

DatabaseOptions inMemory() { return {.memory = std::make_shared<MemoryFile>()}; }

class AllocationFaults : public testing::TestWithParam<Lasting> {};

TEST_P(AllocationFaults, AreAnsweredAndLeaveNothingBehind) {
  reference();
  const sqlite3_int64 before = sqlite3_memory_used();
  sqlite3_int64 allocations = 0;
  {
    // How many there are, by trying: twice as many until none fails.
    for (std::uint64_t nth = 1'000;; nth *= 2) {
      bool fired = false;
      runWithFault(
          inMemory(), [nth] { failAllocation(nth, Lasting::Once); },
          [&fired] { fired = stopFailingAllocations(); });
      allocations = static_cast<sqlite3_int64>(nth);
      if (!fired) break;
    }
  }
  const auto stride = static_cast<std::uint64_t>(allocations) / kRuns + 1;
  const std::uint64_t first = 1 + seedOr(0) % stride;
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  bool fired = true;
  std::uint64_t nth = first;
  for (; fired; nth += nth < 60 ? 1 : stride) {
    SCOPED_TRACE(str("allocation ", nth));
    const Verdict verdict = runWithFault(
        inMemory(), [nth] { failAllocation(nth, GetParam()); },
        [&fired] { fired = stopFailingAllocations(); });
    failed += verdict.failed ? 1 : 0;
    ++runs;
    if (HasFailure()) return;
  }
  EXPECT_EQ(sqlite3_memory_used(), before);
  std::cout << "about " << nth << " allocations, every one up to 60, then one of " << stride << ": "
            << runs << " runs, " << failed << " of them with an error\n";
}

// A schema that was changed has to be read anew before anything, the rollback too, and that takes
// memory; so it happens as soon as there is some.
class RollbackWithoutMemory : public testing::Test {
 protected:
  RollbackWithoutMemory() {
    database_.execute("create table t (x)", Rules::Guest);
    const auto half = [this] {
      database_.execute("create table u (x)", Rules::Guest);
      failAllocation(1, Lasting::Stays);
      throw conflict("in the middle");
    };
    handle_ = transactions_.begin(std::nullopt, Behavior::Immediate);
    EXPECT_EQ(errorOf([this, half] { transactions_.atomically(half); }).message(), "in the middle");
    EXPECT_TRUE(database_.isAbandoned());
    EXPECT_TRUE(transactions_.noticeEnd());
    expectError(ErrorCode::Unavailable,
                "a failed transaction on the database in memory cannot be rolled back yet; free "
                "memory and try again",
                [this] { database_.execute("select 1", Rules::Guest); });
    stopFailingAllocations();
  }

  void expectRolledBack() {
    EXPECT_FALSE(database_.inTransaction());
    EXPECT_FALSE(database_.isAbandoned());
    EXPECT_EQ(errorOf([this] { database_.execute("select * from u", Rules::Guest); }).code(),
              ErrorCode::InvalidRequest);
  }

  Database database_{inMemory()};
  std::uint32_t lastHandle_ = 0;
  Transactions transactions_{database_, lastHandle_};
  TransactionHandle handle_{};
};

TEST_F(RollbackWithoutMemory, HappensBeforeTheNextStatement) {
  database_.execute("insert into t values (1)", Rules::Guest);
  expectRolledBack();
  transactions_.rollback(handle_);
}

TEST_F(RollbackWithoutMemory, HappensAtTheEndOfASession) {
  EXPECT_EQ(transactions_.rollbackAll(), 0u);
  expectRolledBack();
}

INSTANTIATE_TEST_SUITE_P(Lasting, AllocationFaults, testing::Values(Lasting::Once, Lasting::Stays),
                         [](const auto& parameter) {
                           return parameter.param == Lasting::Once ? "Once" : "FromOneOn";
                         });

}  // namespace
}  // namespace schemascript::faults
