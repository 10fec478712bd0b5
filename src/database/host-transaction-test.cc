#include "database/host-transaction.h"

#include <gtest/gtest.h>

#include "base/testing.h"
#include "database/transactions.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

class HostTransactionTest : public testing::Test {
 protected:
  HostTransactionTest() {
    host("create table t (a integer unique)");
    host("begin immediate");
    host("insert into t values (1)");
  }

  void host(std::string_view sql) { database_.execute(sql, Rules::Host); }
  void guest(std::string_view sql) { database_.execute(sql, Rules::Guest); }
  std::string stored() {
    Statement statement = database_.prepare(
        "select coalesce(group_concat(a), '') from (select a from t order by a)", Rules::Host);
    Execution execution(statement);
    EXPECT_TRUE(execution.step());
    return std::string(execution.column(0).bytes);
  }

  Database database_{{.limits = {.openTransactionsMax = 3}}};
  std::uint32_t lastHandle_ = 0;
};

TEST_F(HostTransactionTest, LendsItsConnectionOnceAtATime) {
  HostTransaction transaction(database_);
  {
    const std::optional<Connection> first = transaction.tryLendForRun(1s);
    ASSERT_TRUE(first);
    EXPECT_EQ(&**first, &database_);
    EXPECT_FALSE(transaction.tryLendForRun(1s));
  }
  EXPECT_TRUE(transaction.tryLendForRun(1s));
}

TEST_F(HostTransactionTest, NeedsATransaction) {
  host("rollback");
  EXPECT_EQ(errorOf([&] { HostTransaction transaction(database_); }).code(), ErrorCode::Internal);
  host("begin");
  host("insert into t values (2)");
  EXPECT_NO_THROW(host("commit"));  // And is not left so that nothing can be committed.
}

TEST_F(HostTransactionTest, LetsAnInterruptStand) {
  database_.interrupt();
  HostTransaction transaction(database_);
  const std::optional<Connection> connection = transaction.tryLendForRun(7ms);
  expectError(ErrorCode::LimitExceeded, "a query ran when the time was over: runTimeMax is 7ms",
              [&] { guest("insert into t values (2)"); });
}

TEST_F(HostTransactionTest, TakesTheDeadlineOfARunBack) {
  HostTransaction transaction(database_);
  {
    const std::optional<Connection> connection = transaction.tryLendForRun(1s);
    (*connection)->useDeadline(std::chrono::steady_clock::now() - 1s, 1ms);
    EXPECT_EQ(errorOf([&] { database_.throwIfInterrupted(); }).code(), ErrorCode::LimitExceeded);
    EXPECT_EQ(errorOf([&] { guest("insert into t values (2)"); }).code(), ErrorCode::LimitExceeded);
  }
  EXPECT_NO_THROW(database_.throwIfInterrupted());
  EXPECT_NO_THROW(guest("insert into t values (2)"));
}

TEST_F(HostTransactionTest, CommitsNothing) {
  {
    const HostTransaction transaction(database_);
    EXPECT_TRUE(transaction.isOpen());
    EXPECT_THROW(host("commit"), ConstraintViolation);
    EXPECT_FALSE(transaction.isOpen());
    EXPECT_EQ(stored(), "");
    // What would be a transaction of its own.
    EXPECT_THROW(guest("insert into t values (2)"), ConstraintViolation);
    EXPECT_THROW(guest("create table u (a)"), ConstraintViolation);
    EXPECT_EQ(stored(), "");
  }
  EXPECT_NO_THROW(guest("insert into t values (3)"));
  EXPECT_EQ(stored(), "3");
}

TEST_F(HostTransactionTest, HoldsSavepoints) {
  HostTransaction transaction(database_);
  Transactions transactions(database_, lastHandle_);
  EXPECT_EQ(transactions.sqlOfBegin({}, Behavior::Exclusive), "savepoint schemascript");
  const auto outer = transactions.begin(std::nullopt, Behavior::Exclusive);
  EXPECT_EQ(transactions.sqlOfCommit(), "release schemascript");
  EXPECT_EQ(transactions.sqlOfRollback(), "rollback to schemascript");
  guest("insert into t values (2)");
  const auto inner = transactions.begin(outer, Behavior::Immediate);
  guest("insert into t values (3)");
  transactions.rollback(inner);
  EXPECT_EQ(stored(), "1,2");
  transactions.commit(outer);
  EXPECT_TRUE(transaction.isOpen());
  const auto dropped = transactions.begin(std::nullopt, Behavior::Deferred);
  guest("insert into t values (4)");
  transactions.rollback(dropped);
  EXPECT_TRUE(transaction.isOpen());
  EXPECT_EQ(stored(), "1,2");
}

TEST_F(HostTransactionTest, IsLeftWhereTheGuestBegan) {
  HostTransaction transaction(database_);
  host("savepoint schemascript");  // Even with the name of the guest's.
  host("insert into t values (2)");
  {
    Transactions transactions(database_, lastHandle_);
    EXPECT_EQ(transactions.rollbackAll(), 0u);
    const auto outer = transactions.begin(std::nullopt, Behavior::Immediate);
    guest("insert into t values (3)");
    transactions.begin(outer, Behavior::Immediate);
    guest("insert into t values (4)");
    database_.interrupt();
    EXPECT_EQ(transactions.rollbackAll(), 2u);
  }
  EXPECT_TRUE(transaction.isOpen());
  EXPECT_EQ(stored(), "1,2");
  EXPECT_NO_THROW(host("rollback to schemascript"));
  EXPECT_EQ(stored(), "1");
}

TEST_F(HostTransactionTest, IsNotEnteredAgainWhenItHasEnded) {
  HostTransaction transaction(database_);
  Transactions transactions(database_, lastHandle_);
  EXPECT_FALSE(transactions.noticeEnd());
  EXPECT_THROW(guest("insert or rollback into t values (1)"), ConstraintViolation);
  const std::string_view refusal =
      "all that was done here was rolled back when a statement failed, with the transaction that "
      "this code runs in; nothing more can be done";
  // Also before anybody has noticed.
  expectError(ErrorCode::Conflict, refusal, [&] { transactions.check(std::nullopt); });
  EXPECT_FALSE(transactions.hostHasEnded());
  EXPECT_TRUE(transactions.noticeEnd());
  EXPECT_TRUE(transactions.hostHasEnded());
  EXPECT_FALSE(transactions.noticeEnd()) << "once";
  expectError(ErrorCode::Conflict, refusal,
              [&] { transactions.begin(std::nullopt, Behavior::Immediate); });
  host("begin");  // It is another one.
  expectError(ErrorCode::Conflict, refusal, [&] { transactions.check(std::nullopt); });
  EXPECT_EQ(transactions.rollbackAll(), 0u);
  EXPECT_TRUE(database_.inTransaction());
}

TEST_F(HostTransactionTest, LosesTheGuestsSavepointsWithIt) {
  HostTransaction transaction(database_);
  Transactions transactions(database_, lastHandle_);
  const auto handle = transactions.begin(std::nullopt, Behavior::Immediate);
  EXPECT_THROW(guest("insert or rollback into t values (1)"), ConstraintViolation);
  EXPECT_TRUE(transactions.noticeEnd());
  EXPECT_TRUE(transactions.holds(handle));
  EXPECT_NO_THROW(transactions.rollback(handle));
  EXPECT_EQ(transactions.rollbackAll(), 0u);
}

TEST_F(HostTransactionTest, UndoesAtomsAlone) {
  HostTransaction transaction(database_);
  Transactions transactions(database_, lastHandle_);
  EXPECT_THROW(transactions.atomically([&] {
    guest("insert into t values (2)");
    throw conflict("stop");
  }),
               Error);
  EXPECT_TRUE(transaction.isOpen());
  transactions.atomically([&] { guest("insert into t values (3)"); });
  EXPECT_TRUE(transaction.isOpen());
  EXPECT_EQ(stored(), "1,3");
}

}  // namespace
}  // namespace schemascript
