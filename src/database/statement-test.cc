#include "database/statement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/testing.h"
#include "database/database.h"

namespace schemascript {
namespace {

class StatementTest : public testing::Test {
 protected:
  StatementTest() { run("create table t (id integer primary key, a)"); }

  Changes run(std::string_view sql, std::vector<ValueView> values = {}) {
    return database_.prepare(sql, Rules::Guest).run(values);
  }

  // Stores `value` and hands what is read back to `use`.
  template <typename Use>
  void roundTrip(const ValueView& value, Use&& use) {
    run("insert or replace into t values (1, ?)", {value});
    Statement statement = database_.prepare("select a from t where id = 1", Rules::Guest);
    Execution execution(statement);
    ASSERT_TRUE(execution.step());
    use(execution.column(0));
  }

  Database database_{{}};
};

TEST_F(StatementTest, ReadsBackEveryKindOfValue) {
  roundTrip(ValueView::ofNull(), [](ValueView read) { EXPECT_EQ(read.kind, ValueKind::Null); });
  for (const std::int64_t integer : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1},
                                     std::numeric_limits<std::int64_t>::max()}) {
    roundTrip(ValueView::ofInteger(integer), [integer](ValueView read) {
      EXPECT_EQ(read.kind, ValueKind::Integer);
      EXPECT_EQ(read.integer, integer);
    });
  }
  for (const double real : {0.1, 5e-324, -std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::max()}) {
    roundTrip(ValueView::ofReal(real), [real](ValueView read) {
      EXPECT_EQ(read.kind, ValueKind::Real);
      EXPECT_EQ(read.real, real);
    });
  }
}

TEST_F(StatementTest, ReadsBackTextWithANulAndEmptyOnes) {
  for (const std::string_view bytes : {std::string_view("a\0b", 3), std::string_view(""),
                                       std::string_view(), std::string_view("\0", 1)}) {
    roundTrip(ValueView::ofText(bytes), [bytes](ValueView read) {
      EXPECT_EQ(read.kind, ValueKind::Text);
      EXPECT_EQ(read.bytes, bytes);
    });
    roundTrip(ValueView::ofBlob(bytes), [bytes](ValueView read) {
      EXPECT_EQ(read.kind, ValueKind::Blob);
      EXPECT_EQ(read.bytes, bytes);
    });
  }
}

TEST_F(StatementTest, RefusesAWrongNumberOfValues) {
  expectError(ErrorCode::InvalidRequest, "the statement has 1 parameter, the request 0",
              [&] { run("select ?"); });
  expectError(ErrorCode::InvalidRequest, "the statement has 2 parameters, the request 1",
              [&] { run("select ?, ?", {ValueView::ofNull()}); });
  expectError(ErrorCode::InvalidRequest, "the statement has 0 parameters, the request 1",
              [&] { run("select 1", {ValueView::ofNull()}); });
}

TEST_F(StatementTest, RefusesValuesBeyondTheirLimit) {
  Database database({.limits = {.valueBytesMax = 1'000}});
  const std::string inside(1'000, 'x');
  const std::string outside(1'001, 'x');
  Statement statement = database.prepare("select ?, length(?)", Rules::Guest);
  const std::vector<ValueView> fit{ValueView::ofText(inside), ValueView::ofBlob(inside)};
  const std::vector<ValueView> tooLong{ValueView::ofText(inside), ValueView::ofBlob(outside)};
  expectError(ErrorCode::LimitExceeded, "parameter 2 has 1001 bytes; valueBytesMax is 1000b",
              [&] { statement.run(tooLong); });
  EXPECT_NO_THROW(database.prepare("select length(?)", Rules::Guest).run({&fit[0], 1}));
  expectError(ErrorCode::LimitExceeded,
              "a value or a row is longer than valueBytesMax (1000b) (SQLITE_TOOBIG)",
              [&] { database.execute("select zeroblob(1001)", Rules::Guest); });
}

TEST_F(StatementTest, CountsItsOwnChangesOnly) {
  run("create table log (a)");
  run("create trigger after_t after insert on t begin insert into log values (1), (2); end");
  EXPECT_EQ(run("insert into t (a) values (1), (2), (3)").rows, 3);
  EXPECT_EQ(run("select * from t").rows, 0);
  EXPECT_EQ(run("update t set a = 0 where a > 1").rows, 2);
  EXPECT_EQ(run("create table u (a)").rows, 0);
  EXPECT_EQ(run("delete from t where a = 99").rows, 0);
  EXPECT_EQ(run("delete from t").rows, 3);
}

TEST_F(StatementTest, TellsTheRowidOfItsOwnInsertOnly) {
  run("create table log (a)");
  run("create trigger after_t after update on t begin insert into log values (1); end");
  EXPECT_EQ(run("insert into t (id) values (41), (42)").lastInsertRowid, 42);
  EXPECT_EQ(run("update t set a = 1").lastInsertRowid, 0);
  EXPECT_EQ(run("select 1").lastInsertRowid, 0);
  EXPECT_EQ(run("insert or ignore into t (id) values (42)").lastInsertRowid, 0);
  EXPECT_EQ(run("insert into t (id) values (42) on conflict do update set a = 2").lastInsertRowid,
            0);
  EXPECT_EQ(run("insert into t (id) values (42) on conflict do update set a = 2").rows, 1);
  EXPECT_EQ(run("delete from t").lastInsertRowid, 0);
  EXPECT_EQ(run("insert into t (id) values (-3)").lastInsertRowid, -3);
}

TEST_F(StatementTest, LeavesLastInsertRowidOfSqlAlone) {
  run("insert into t (id) values (42)");
  run("insert or ignore into t (id) values (42)");
  EXPECT_THROW(run("insert into t (id) values (42)"), Error);
  EXPECT_EQ(run("insert into t (a) values (last_insert_rowid())").lastInsertRowid, 43);
  Statement statement = database_.prepare("select a from t where id = 43", Rules::Guest);
  Execution execution(statement);
  ASSERT_TRUE(execution.step());
  EXPECT_EQ(execution.column(0).integer, 42);
}

TEST_F(StatementTest, CanBeUsedAgainAfterAFailure) {
  Statement statement = database_.prepare("insert into t (id) values (?)", Rules::Guest);
  const ValueView one = ValueView::ofInteger(1);
  const ValueView text = ValueView::ofText("x");
  EXPECT_EQ(statement.run({&one, 1}).rows, 1);
  EXPECT_THROW(statement.run({&one, 1}), Error);
  EXPECT_THROW(statement.run({&text, 1}), Error);
  EXPECT_THROW(statement.run(), Error);
  const ValueView two = ValueView::ofInteger(2);
  EXPECT_EQ(statement.run({&two, 1}).lastInsertRowid, 2);
}

TEST_F(StatementTest, ReleasesItsLockWhenItEndsEarly) {
  run("insert into t values (1, 1), (2, 2)");
  {
    Statement statement = database_.prepare("select * from t", Rules::Guest);
    Execution execution(statement);
    ASSERT_TRUE(execution.step());
  }
  EXPECT_NO_THROW(run("drop table t"));
}

}  // namespace
}  // namespace schemascript
