#include "cli/sql-trace.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace schemascript {
namespace {

using namespace std::chrono_literals;

class SqlTraceTest : public testing::Test {
 protected:
  SqlTrace traceOf(std::size_t columns = 0, Colours colours = Colours::Off) {
    return {Paint(colours), columns, [this](std::string_view text) { shown_ += text; }};
  }
  std::string shown() { return std::exchange(shown_, {}); }

  std::string shown_;
};

TEST_F(SqlTraceTest, ShowsALineForEachStatement) {
  SqlTrace trace = traceOf();
  trace.add({.method = Method::All,
             .sql = "select \"id\",\n  \"text\"\nfrom \"notes\"",
             .took = 123'456ns,
             .rows = 3,
             .hasRows = true});
  trace.add({.method = Method::Begin,
             .sql = "begin immediate",
             .transaction = TransactionHandle{12},
             .took = 9ms,
             .waited = 7ms});
  trace.add({.method = Method::Push, .sql = "create table a (b);\ncreate table c (d);"});
  EXPECT_EQ(shown(),
            "sql    0.123 ms      3 rows  select \"id\", \"text\" from \"notes\"\n"
            "sql    9.000 ms              (waited 7.000 ms) tx 12: begin immediate\n"
            "sql    0.000 ms              push: create table a (b); create table c (d);\n");
}

TEST_F(SqlTraceTest, ShowsValuesAndErrorsOnLinesOfTheirOwn) {
  traceOf(40).add({.method = Method::Run,
                   .sql = "insert into notes (text) values (?)",
                   .error = "notes.text must be unique (SQLITE_CONSTRAINT_UNIQUE)",
                   .values = "[\"first\"]"});
  EXPECT_EQ(shown(),
            "sql    0.000 ms      failed  insert into notes...\n"
            "                             values [\"first\"]\n"
            "                             notes.text must be unique (SQLITE_CONSTRAINT_UNIQUE)\n");
}

TEST_F(SqlTraceTest, CutsLinesToTheTerminal) {
  const std::string sql = "select " + std::string(100, 'x');
  for (const std::size_t columns : {60u, 80u, 200u}) {
    SqlTrace trace = traceOf(columns);
    trace.add({.sql = sql});
    EXPECT_EQ(shown().size(), std::min<std::size_t>(columns, 29 + sql.size()) + 1);
    trace.add({.sql = sql});
    trace.addSum();
    const std::string lines = shown();
    EXPECT_LE(lines.size() - lines.find('\n') - 1, columns + 1);
  }
}

TEST_F(SqlTraceTest, ShowsNothingThatATerminalObeys) {
  traceOf().add({.sql = "select '\x1b[2J\n\t\xc2\x9b\xe2\x80\xae\x80'",
                 .error = "no\x1b[31m\nsql    0.000 ms      1 row   forged",
                 .values = "[\"\x1b\n\"]"});
  const std::string text = shown();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_NE(text.find(R"(select '\x1b[2J\x0a\x09\x9b\u202e\x80')"), std::string::npos) << text;
  for (const char* const bad : {"\x1b", "\xc2\x9b", "\xe2\x80\xae", "\t"}) {
    EXPECT_EQ(text.find(bad), std::string::npos) << text;
  }
}

TEST_F(SqlTraceTest, SumsUp) {
  SqlTrace trace = traceOf();
  trace.addSum();
  EXPECT_EQ(shown(), "sql    0.000 ms  in 0 statements\n");
  trace.add({.sql = "select 1", .took = 1ms});
  shown();
  trace.addSum();
  EXPECT_EQ(shown(), "sql    1.000 ms  in 1 statement\n");
  trace.add({.method = Method::Commit,
             .sql = "commit",
             .transaction = TransactionHandle{1},
             .took = 5ms,
             .waited = 4ms});
  trace.add({.sql = "select\n2", .took = 2ms, .error = "no"});
  shown();
  trace.addSum();
  EXPECT_EQ(shown(),
            "sql    8.000 ms  in 3 statements, 1 of them failed, waiting 4.000 ms of it; the "
            "slowest took 5.000 ms: tx 1: commit\n");
}

TEST_F(SqlTraceTest, HasColoursAsTheRestHas) {
  traceOf(0, Colours::On).add({.sql = "select 1", .error = "no"});
  const std::string text = shown();
  EXPECT_TRUE(
      text.starts_with("\x1b[2msql    0.000 ms  \x1b[0m\x1b[1;31m    failed\x1b[0m  select"))
      << text;
}

}  // namespace
}  // namespace schemascript
