#include "database/allocation.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "base/testing.h"
#include "base/units.h"
#include "database/database.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kTimeIsOver = "a query ran when the time was over: runTimeMax is 1s";

// Words with something between them.
std::string joined(std::size_t words, std::string_view word, std::string_view between) {
  std::string text;
  for (std::size_t i = 0; i < words; ++i) text.append(i == 0 ? "" : between).append(word);
  return text;
}

// FTS5 reads what a list held before it grew. AddressSanitizer would say so.
TEST(Outgrown, IsKeptUntilTheStepHasBeenMade) {
  Database database({});
  auto* const small = static_cast<char*>(sqlite3_malloc64(5'000));
  std::fill_n(small, 5'000, 'x');
  const sqlite3_int64 taken = sqlite3_memory_used();
  {
    const AllocationScope scope(database);
    auto* grown = static_cast<char*>(sqlite3_realloc64(small, 10'000));
    ASSERT_NE(grown, nullptr);
    EXPECT_NE(grown, small);
    EXPECT_EQ(std::string_view(grown, 5'000), std::string(5'000, 'x'));
    EXPECT_EQ(std::string_view(small, 5'000), std::string(5'000, 'x'));
    // A hundred more times, and shorter again: nothing is lost, and not all is kept.
    for (int round = 0; round < 100; ++round) {
      grown = static_cast<char*>(sqlite3_realloc64(grown, 10'000'000));
      grown = static_cast<char*>(sqlite3_realloc64(grown, 5'000));
      ASSERT_NE(grown, nullptr);
    }
    EXPECT_EQ(std::string_view(grown, 5'000), std::string(5'000, 'x'));
    sqlite3_free(grown);
  }
  EXPECT_LT(sqlite3_memory_used(), taken);
}

class Allocation : public testing::Test {
 protected:
  Allocation() {
    database_.startRun(1'000ms);
    database_.execute("create virtual table words using fts5 (a)", Rules::Guest);
    database_.execute("insert into words values ('x y')", Rules::Guest);
  }

  std::int64_t count(std::string_view sql, std::string_view bound) {
    Statement statement = database_.prepare(sql, Rules::Guest);
    const ValueView values[] = {ValueView::ofText(bound)};
    Execution execution(statement, values);
    EXPECT_TRUE(execution.step());
    return execution.column(0).integer;
  }

  // Runs `action` and interrupts it once SQLite has taken so many bytes for it; so `action` is in
  // the instruction that needs more than that.
  void expectInterrupted(sqlite3_int64 bytes, const std::function<void()>& action) {
    const sqlite3_int64 taken = sqlite3_memory_used() + bytes;
    std::atomic<bool> ended{false};
    std::thread other([&] {
      while (!ended && sqlite3_memory_used() < taken) std::this_thread::yield();
      if (!ended) database_.interrupt();
    });
    const Error error = errorOf(action);
    ended = true;
    other.join();
    EXPECT_EQ(nameOf(error.code()), nameOf(ErrorCode::LimitExceeded));
    EXPECT_EQ(error.message(), kTimeIsOver);
    EXPECT_FALSE(database_.isReusable());
    database_.startRun(1'000ms);
  }

  Database database_{DatabaseOptions{}};
};

// 200 seconds without; the test is that it ends.
TEST_F(Allocation, EndsASearchOfAMillionWords) {
  constexpr std::string_view kSearch = "select count(*) from words where words match ?";
  for (const char* between : {" ", " OR ", " AND ", " + "}) {
    SCOPED_TRACE(between);
    const std::string search = joined(1'000'000, "x", between);
    expectInterrupted(4'000'000, [&] { count(kSearch, search); });
    EXPECT_EQ(count(kSearch, "x"), 1);
  }
}

TEST_F(Allocation, EndsIndexingAndLeavesNothing) {
  std::string text;
  for (int i = 0; i < 2'000'000; ++i) text.append(std::to_string(i)).append(" ");
  const auto insert = [&] {
    const ValueView values[] = {ValueView::ofText(text)};
    database_.prepare("insert into words values (?)", Rules::Guest).run(values);
  };
  EXPECT_TRUE(database_.isReusable());
  // More than what the text takes, as a row and as pages, before it is indexed.
  expectInterrupted(4 * static_cast<sqlite3_int64>(text.size()), insert);
  EXPECT_EQ(count("select count(*) from words where a <> ?", ""), 1);
  database_.execute("insert into words (words) values ('integrity-check')", Rules::Host);
  text.resize(1'000);
  insert();
  EXPECT_EQ(count("select count(*) from words where words match ?", "17"), 1);
}

// Which clean up behind a guest.
TEST_F(Allocation, DoesNotFailTheHostsStatements) {
  const std::string text = joined(20'000, "x", " OR ");
  database_.interrupt();
  Statement search =
      database_.prepare("select count(*) from words where words match ?", Rules::Host);
  const ValueView values[] = {ValueView::ofText(text)};
  Execution execution(search, values);
  ASSERT_TRUE(execution.step());
  EXPECT_EQ(execution.column(0).integer, 1);
}

TEST_F(Allocation, IsRefusedToTheScopeOfTheDatabaseThatMustStop) {
  Database other{DatabaseOptions{}};
  other.execute("select 1", Rules::Guest);  // Its rules are a guest's from here on.
  const auto refusesSoon = [] {
    for (std::size_t i = 0; i < AllocationScope::kAllocationsAfterStop; ++i) {
      EXPECT_FALSE(AllocationScope::refuses()) << i;
    }
    return AllocationScope::refuses();
  };
  other.interrupt();
  EXPECT_FALSE(refusesSoon());
  const AllocationScope outer(database_);
  EXPECT_FALSE(refusesSoon());
  {
    const AllocationScope inner(other);
    EXPECT_TRUE(refusesSoon());
    EXPECT_EQ(sqlite3_malloc(10), nullptr);
    void* elsewhere = nullptr;
    std::thread([&] { elsewhere = sqlite3_malloc(10); }).join();
    EXPECT_NE(elsewhere, nullptr);
    EXPECT_EQ(sqlite3_realloc(elsewhere, 1'000'000), nullptr);
    sqlite3_free(elsewhere);
  }
  EXPECT_FALSE(refusesSoon());
}

}  // namespace
}  // namespace schemascript
