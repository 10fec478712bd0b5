#include "database/transactions.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/testing.h"

namespace schemascript {
namespace {

class TransactionsTest : public testing::Test {
 protected:
  TransactionsTest() { run("create table t (a integer)"); }

  void run(std::string_view sql) { database_.execute(sql, Rules::Guest); }
  void insert(int value) { run(str("insert into t values (", value, ")")); }
  std::string stored() {
    Statement statement =
        database_.prepare("select coalesce(group_concat(a), '') from t", Rules::Guest);
    Execution execution(statement);
    EXPECT_TRUE(execution.step());
    return std::string(execution.column(0).bytes);
  }

  Database database_{{.limits = {.openTransactionsMax = 3}}};
  std::uint32_t lastHandle_ = 0;
  Transactions transactions_{database_, lastHandle_};
};

TEST_F(TransactionsTest, KeepWhatIsCommitted) {
  const auto handle = transactions_.begin(std::nullopt, Behavior::Immediate);
  insert(1);
  transactions_.commit(handle);
  EXPECT_FALSE(database_.inTransaction());
  EXPECT_EQ(stored(), "1");
}

TEST_F(TransactionsTest, DropWhatIsRolledBack) {
  const auto handle = transactions_.begin(std::nullopt, Behavior::Deferred);
  insert(1);
  transactions_.rollback(handle);
  EXPECT_FALSE(database_.inTransaction());
  EXPECT_EQ(stored(), "");
}

TEST_F(TransactionsTest, NestWithoutTouchingTheirParent) {
  const auto outer = transactions_.begin(std::nullopt, Behavior::Exclusive);
  insert(1);
  const auto dropped = transactions_.begin(outer, Behavior::Immediate);
  insert(2);
  const auto innermost = transactions_.begin(dropped, Behavior::Immediate);
  insert(3);
  transactions_.commit(innermost);
  transactions_.rollback(dropped);
  const auto kept = transactions_.begin(outer, Behavior::Immediate);
  insert(4);
  transactions_.commit(kept);
  transactions_.commit(outer);
  EXPECT_EQ(stored(), "1,4");
}

TEST_F(TransactionsTest, NeverGiveAHandleTwice) {
  const auto first = transactions_.begin(std::nullopt, Behavior::Immediate);
  transactions_.rollback(first);
  const auto second = transactions_.begin(std::nullopt, Behavior::Immediate);
  EXPECT_EQ(first, TransactionHandle{1});
  EXPECT_EQ(second, TransactionHandle{2});
  transactions_.commit(second);
}

TEST_F(TransactionsTest, TakeNoRequestFromOutside) {
  EXPECT_NO_THROW(transactions_.check(std::nullopt));
  const auto handle = transactions_.begin(std::nullopt, Behavior::Immediate);
  EXPECT_NO_THROW(transactions_.check(handle));
  const auto claim =
      "transaction 1 is open, and this request is not part of it; use its tx, or wait until it has "
      "ended";
  expectError(ErrorCode::Conflict, claim, [&] { transactions_.check(std::nullopt); });
  expectError(ErrorCode::Conflict, claim,
              [&] { transactions_.begin(std::nullopt, Behavior::Immediate); });
  transactions_.rollback(handle);
}

TEST_F(TransactionsTest, LetAParentWaitForItsChild) {
  const auto outer = transactions_.begin(std::nullopt, Behavior::Immediate);
  const auto inner = transactions_.begin(outer, Behavior::Immediate);
  const auto claim =
      "transaction 1 has transaction 2 open inside of it, and waits until that has ended";
  expectError(ErrorCode::Conflict, claim, [&] { transactions_.check(outer); });
  expectError(ErrorCode::Conflict, claim, [&] { transactions_.commit(outer); });
  expectError(ErrorCode::Conflict, claim, [&] { transactions_.rollback(outer); });
  expectError(ErrorCode::Conflict, claim, [&] { transactions_.begin(outer, Behavior::Immediate); });
  transactions_.rollback(inner);
  transactions_.rollback(outer);
}

TEST_F(TransactionsTest, RefuseHandlesThatEndedOrNeverWere) {
  const auto handle = transactions_.begin(std::nullopt, Behavior::Immediate);
  transactions_.commit(handle);
  expectError(ErrorCode::Conflict, "transaction 1 has ended", [&] { transactions_.check(handle); });
  expectError(ErrorCode::Conflict, "transaction 1 has ended",
              [&] { transactions_.commit(handle); });
  expectError(ErrorCode::Conflict, "transaction 1 has ended",
              [&] { transactions_.rollback(handle); });
  for (const std::uint32_t never : {0u, 2u, 4'294'967'295u}) {
    expectError(ErrorCode::InvalidRequest, str("there is no transaction ", never),
                [&] { transactions_.check(TransactionHandle{never}); });
  }
}

TEST_F(TransactionsTest, AreAsManyAsTheirLimit) {
  auto handle = transactions_.begin(std::nullopt, Behavior::Immediate);
  handle = transactions_.begin(handle, Behavior::Immediate);
  handle = transactions_.begin(handle, Behavior::Immediate);
  expectError(ErrorCode::LimitExceeded,
              "3 transactions are open inside of each other; openTransactionsMax is 3",
              [&] { transactions_.begin(handle, Behavior::Immediate); });
  EXPECT_EQ(transactions_.rollbackAll(), 3u);
}

TEST_F(TransactionsTest, StayOpenWhenTheirCommitFails) {
  run("create table parent (id integer primary key)");
  run("create table child (p integer references parent (id) deferrable initially deferred)");
  const auto handle = transactions_.begin(std::nullopt, Behavior::Immediate);
  run("insert into child values (7)");
  expectError(ErrorCode::Conflict,
              "a deferred foreign key is not satisfied (SQLITE_CONSTRAINT_FOREIGNKEY)",
              [&] { transactions_.commit(handle); });
  EXPECT_NO_THROW(transactions_.check(handle));
  run("insert into parent values (7)");
  transactions_.commit(handle);
  EXPECT_FALSE(database_.inTransaction());
}

TEST_F(TransactionsTest, NoticeThatSqliteHasRolledBack) {
  run("create unique index t_a on t (a)");
  const auto outer = transactions_.begin(std::nullopt, Behavior::Immediate);
  const auto inner = transactions_.begin(outer, Behavior::Immediate);
  insert(1);
  EXPECT_FALSE(transactions_.noticeEnd());
  EXPECT_THROW(run("insert or rollback into t values (1)"), Error);
  EXPECT_TRUE(transactions_.noticeEnd());
  EXPECT_EQ(transactions_.openCount(), 0u);
  expectError(ErrorCode::Conflict, "transaction 2 was rolled back when a statement failed",
              [&] { transactions_.check(inner); });
  // What every caller does after a failure.
  EXPECT_NO_THROW(transactions_.rollback(inner));
  EXPECT_NO_THROW(transactions_.rollback(outer));
  expectError(ErrorCode::Conflict, "transaction 1 has ended",
              [&] { transactions_.rollback(outer); });
  EXPECT_EQ(stored(), "");
}

TEST_F(TransactionsTest, RollBackAfterAnInterrupt) {
  transactions_.begin(std::nullopt, Behavior::Immediate);
  insert(1);
  database_.interrupt();
  EXPECT_EQ(transactions_.rollbackAll(), 1u);
  database_.startRun(std::chrono::milliseconds(1));
  EXPECT_EQ(stored(), "");
}

TEST_F(TransactionsTest, DoSomethingAsAWholeOrNotAtAll) {
  transactions_.atomically([&] { insert(1); });
  EXPECT_EQ(stored(), "1");
  expectError(ErrorCode::Conflict, "stop", [&] {
    transactions_.atomically([&] {
      insert(2);
      throw conflict("stop");
    });
  });
  EXPECT_FALSE(database_.inTransaction());
  const auto handle = transactions_.begin(std::nullopt, Behavior::Immediate);
  insert(3);
  EXPECT_THROW(transactions_.atomically([&] {
    insert(4);
    throw conflict("stop");
  }),
               Error);
  transactions_.commit(handle);
  EXPECT_EQ(stored(), "1,3");
}

TEST_F(TransactionsTest, FailAsAWholeWhenTheirEndFails) {
  run("create table parent (id integer primary key)");
  run("create table child (p integer references parent (id) deferrable initially deferred)");
  EXPECT_THROW(transactions_.atomically([&] { run("insert into child values (7)"); }), Error);
  EXPECT_FALSE(database_.inTransaction());
}

TEST(Transactions, RunNoSqlWhenDestroyedButKeepTheDatabaseFromBeingUsedAgain) {
  Database database({});
  {
    std::uint32_t lastHandle = 0;
    Transactions transactions(database, lastHandle);
    transactions.begin(std::nullopt, Behavior::Immediate);
  }
  EXPECT_TRUE(database.inTransaction());
  EXPECT_TRUE(database.isAbandoned());
}

TEST(Transactions, WaitForNobodyToRead) {
  const TemporaryFolder folder;
  Database writer({.file = folder / "a.db"});
  writer.execute("create table t (a)", Rules::Guest);
  std::uint32_t lastHandle = 0;
  Transactions writing(writer, lastHandle);
  const auto handle = writing.begin(std::nullopt, Behavior::Immediate);
  writer.execute("insert into t values (1)", Rules::Guest);
  Database reader(
      {.file = folder / "a.db", .limits = {.busyTimeMax = std::chrono::milliseconds(0)}});
  EXPECT_NO_THROW(reader.execute("select * from t", Rules::Guest));
  Transactions waiting(reader, lastHandle);
  expectError(ErrorCode::Unavailable,
              str("another process holds ", (folder / "a.db").string(),
                  " for longer than busyTimeMax, which is 0ms; try again later, or end that "
                  "process (SQLITE_BUSY)"),
              [&] { waiting.begin(std::nullopt, Behavior::Immediate); });
  EXPECT_EQ(waiting.openCount(), 0u);
  writing.commit(handle);
}

}  // namespace
}  // namespace schemascript
