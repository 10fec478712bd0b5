#include "database/functions.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <random>
#include <thread>

#include "base/testing.h"
#include "database/database.h"

namespace schemascript {
namespace {

using std::chrono::milliseconds;
using namespace std::string_literals;
using std::string_view_literals::operator""sv;

// The built-in functions, within the same limits.
class PlainConnection {
 public:
  explicit PlainConnection(const Limits& limits) {
    EXPECT_EQ(sqlite3_open(":memory:", &raw_), SQLITE_OK);
    sqlite3_limit(raw_, SQLITE_LIMIT_LENGTH, static_cast<int>(limits.valueBytesMax));
    sqlite3_limit(raw_, SQLITE_LIMIT_LIKE_PATTERN_LENGTH,
                  static_cast<int>(limits.likePatternBytesMax));
  }
  ~PlainConnection() { sqlite3_close_v2(raw_); }
  PlainConnection(const PlainConnection&) = delete;
  PlainConnection& operator=(const PlainConnection&) = delete;

  // Kind and bytes of the only value, or what went wrong, in the words of our own errors.
  std::string answer(std::string_view sql, std::span<const ValueView> values) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(
        sqlite3_prepare_v2(raw_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr),
        SQLITE_OK);
    const StatementHandle owner(statement);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (bind(statement, static_cast<int>(i + 1), values[i]) == SQLITE_TOOBIG) {
        return "limit exceeded";
      }
    }
    const int status = sqlite3_step(statement);
    if (status == SQLITE_TOOBIG) return "limit exceeded";
    if (status != SQLITE_ROW) return str("error: ", sqlite3_errmsg(raw_));
    const int type = sqlite3_column_type(statement, 0);
    const auto* bytes = type == SQLITE_TEXT
                            ? reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))
                            : static_cast<const char*>(sqlite3_column_blob(statement, 0));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, 0));
    if (type == SQLITE_NULL) return "null";
    if (type == SQLITE_INTEGER) return str("integer ", sqlite3_column_int64(statement, 0));
    if (type == SQLITE_FLOAT) return str("real ", sqlite3_column_double(statement, 0));
    return str(type == SQLITE_TEXT ? "text " : "blob ", std::string_view(bytes, size));
  }

 private:
  static int bind(sqlite3_stmt* statement, int index, const ValueView& value) {
    const int size = static_cast<int>(value.bytes.size());
    switch (value.kind) {
      case ValueKind::Integer:
        return sqlite3_bind_int64(statement, index, value.integer);
      case ValueKind::Real:
        return sqlite3_bind_double(statement, index, value.real);
      case ValueKind::Text:
        return sqlite3_bind_text(statement, index, value.bytes.data(), size, SQLITE_STATIC);
      case ValueKind::Blob:
        return sqlite3_bind_blob(statement, index, value.bytes.data(), size, SQLITE_STATIC);
      default:
        return sqlite3_bind_null(statement, index);
    }
  }

  sqlite3* raw_ = nullptr;
};

std::string answer(Database& database, std::string_view sql, std::span<const ValueView> values) {
  try {
    Lease statement = database.lend(sql);
    Execution execution(*statement, values);
    EXPECT_TRUE(execution.step());
    const ValueView value = execution.column(0);
    switch (value.kind) {
      case ValueKind::Null:
        return "null";
      case ValueKind::Integer:
        return str("integer ", value.integer);
      case ValueKind::Real:
        return str("real ", value.real);
      default:
        return str(value.kind == ValueKind::Text ? "text " : "blob ", value.bytes);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::LimitExceeded) return "limit exceeded";
    return str("error: ", error.message());
  }
}

struct Call {
  const char* sql;
  std::size_t parameters;
};
constexpr Call kCalls[] = {
    {"select instr(?1, ?2)", 2},
    {"select replace(?1, ?2, ?3)", 3},
    {"select trim(?1)", 1},
    {"select ltrim(?1)", 1},
    {"select rtrim(?1)", 1},
    {"select trim(?1, ?2)", 2},
    {"select ltrim(?1, ?2)", 2},
    {"select rtrim(?1, ?2)", 2},
    {"select ?1 like ?2", 2},
    {"select ?1 not like ?2", 2},
    {"select ?1 like ?2 escape ?3", 3},
    {"select ?1 glob ?2", 2},
    // A value stays what it was for whoever reads it next.
    {"select typeof(a) || instr(a, b) || typeof(a) || typeof(b) from (select ?1 as a, ?2 as b)", 2},
};

// Values that are likely to have something to do with each other.
class RandomValues {
 public:
  explicit RandomValues(std::uint32_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t end) { return random_() % end; }

  std::string bytes() {
    static const std::string kPieces[] = {
        "a",           "b",    "A",        "B",        "aB",       " ",
        "%",           "_",    "*",        "?",        "[",        "]",
        "^",           "-",    "\\",       "ab",       "é",        "É",
        "€",           "😀",    "\xc3",     "\x80",     "\0"s,      "\xff",
        "\xbf",        "\xa9", "\xc0\x80", "\xe2\x82", "\xc1\xa1", "\xed\xa0\x80",
        "[a-b]",       "[^a]", "[]a]",     "*a",       "%a",       "_a",
        "\xef\xbf\xbf"};
    // Few different ones in one text, so that they meet.
    const std::uint32_t kinds = 1 + below(4);
    std::uint32_t chosen[4];
    for (auto& piece : chosen) piece = below(std::size(kPieces));
    std::string text;
    const std::uint32_t pieces = below(8) == 0 ? below(120) : below(10);
    for (std::uint32_t i = 0; i < pieces; ++i) text += kPieces[chosen[below(kinds)]];
    return text;
  }

  // A part of `text`, or something of its own.
  std::string related(const std::string& text) {
    if (text.empty() || below(3) == 0) return bytes();
    const std::uint32_t from = below(static_cast<std::uint32_t>(text.size()));
    std::string part = text.substr(from, 1 + below(below(2) == 0 ? 4 : 80));
    if (below(4) == 0) part = str(below(2) == 0 ? "%" : "*", part, below(2) == 0 ? "%" : "*");
    if (below(8) == 0) part[below(static_cast<std::uint32_t>(part.size()))] ^= 0x20;
    return part;
  }

  ValueView value(const std::string& bytes) {
    switch (below(16)) {
      case 0:
        return ValueView::ofNull();
      case 1:
        return ValueView::ofInteger(static_cast<std::int64_t>(below(2'000)) - 1'000);
      case 2:
        return ValueView::ofReal(below(1'000) / 8.0);
      case 3:
      case 4:
      case 5:
        return ValueView::ofBlob(bytes);
      default:
        return ValueView::ofText(bytes);
    }
  }

 private:
  std::mt19937 random_;
};

std::string described(const ValueView& value) {
  std::string text = str(static_cast<int>(value.kind), " ", value.integer, " ", value.real, " '");
  for (const char letter : value.bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(letter);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return str(text, "'");
}

void expectSameAnswers(const Limits& limits, std::string_view encoding, std::uint32_t seed,
                       int rounds) {
  Database database({.limits = limits});
  PlainConnection plain(limits);
  if (encoding != "UTF-8") {
    const std::string pragma = str("pragma encoding = '", encoding, "'");
    for (const std::string_view sql : {std::string_view(pragma), "create table t (a)"sv}) {
      database.execute(sql, Rules::Host);
      plain.answer(sql, {});
    }
  }
  RandomValues random(seed);
  for (int round = 0; round < rounds; ++round) {
    const std::string text = random.bytes();
    const std::string second = random.related(text);
    const std::string third = random.below(3) == 0 ? "\\" : random.related(second);
    const ValueView values[] = {random.value(text), random.value(second), random.value(third)};
    for (const Call& call : kCalls) {
      const std::span<const ValueView> given(values, call.parameters);
      ASSERT_EQ(answer(database, call.sql, given), plain.answer(call.sql, given))
          << call.sql << " " << described(values[0]) << " " << described(values[1]) << " "
          << described(values[2]);
    }
  }
}

TEST(Functions, AnswerWhatTheBuiltInOnesAnswer) {
  const std::uint32_t seed = seedOr(41);
  expectSameAnswers({}, "UTF-8", seed, 20'000);
  expectSameAnswers({}, "UTF-16le", seed + 1, 3'000);
}

TEST(Functions, ReachTheLimitsWhereTheBuiltInOnesDo) {
  const std::uint32_t seed = seedOr(42);
  for (std::uint32_t bytesMax = 100; bytesMax < 160; bytesMax += 3) {
    expectSameAnswers({.valueBytesMax = bytesMax, .likePatternBytesMax = 20}, "UTF-8",
                      seed + bytesMax, 300);
  }
}

TEST(Functions, SayWhichLimitAReplacementExceeds) {
  Database database({.limits = {.valueBytesMax = 1'000}});
  const std::string text(500, 'a');
  const ValueView value = ValueView::ofText(text);
  Statement inside = database.prepare("select replace(?, 'a', 'bb')", Rules::Guest);
  EXPECT_NO_THROW(inside.run({&value, 1}));
  Statement outside = database.prepare("select replace(? || 'a', 'a', 'bb')", Rules::Guest);
  expectError(ErrorCode::LimitExceeded,
              "a value or a row is longer than valueBytesMax (1000b) (SQLITE_TOOBIG)", [&] {
                outside.run({&value, 1});
              });
}

// Hours or days for the built-in ones; the test is that it ends.
TEST(Functions, TakeLinearTime) {
  Database database({});
  constexpr std::size_t kBytes = 10'000'000;
  const std::string text(kBytes, 'a');
  const std::string needle = str(std::string(kBytes / 2, 'a'), "b");
  const std::string mirrored = str("b", std::string(kBytes / 2, 'a'));
  std::string characters;
  for (char32_t character = 0x800; character < 0x10000; ++character) {
    characters += static_cast<char>(0xe0 | (character >> 12));
    characters += static_cast<char>(0x80 | ((character >> 6) & 0x3f));
    characters += static_cast<char>(0x80 | (character & 0x3f));
  }
  std::string lastOnes;
  while (lastOnes.size() < kBytes) lastOnes += "\xef\xbf\xbd";
  const auto run = [&database](std::string_view sql, std::string_view first,
                               std::string_view second) {
    const ValueView values[] = {ValueView::ofText(first), ValueView::ofText(second)};
    return answer(database, sql, values);
  };
  EXPECT_EQ(run("select instr(?, ?)", text, needle), "integer 0");
  EXPECT_EQ(run("select instr(?, ?)", text, mirrored), "integer 0");
  EXPECT_EQ(run("select instr(? || 'b', ?)", text, needle), str("integer ", kBytes / 2 + 1));
  EXPECT_EQ(run("select length(replace(?, ?, ''))", text, needle), str("integer ", kBytes));
  EXPECT_EQ(run("select length(replace(?, ?, 'bb'))", text, "a"), str("integer ", 2 * kBytes));
  EXPECT_EQ(run("select length(trim(?, ?))", lastOnes, characters), "integer 0");
  EXPECT_EQ(run("select length(rtrim(?, ?))", lastOnes, characters), "integer 0");
}

// A minute and more each, if nothing ended them.
TEST(Functions, EndWhenTheTimeIsOver) {
  Database database({});
  const std::string text(50'000'000, 'a');
  const std::string like = str("%", std::string(990, 'A'), "b");
  const std::string glob = str("*[", std::string(990, 'b'), "]");
  // Sets of malformed characters, each the beginning of the next, have no fast way.
  std::string characters;
  for (std::size_t size = 2; size < 2'000; ++size) {
    characters += str("\xc3", std::string(size, '\x80'));
  }
  std::string malformed;
  while (malformed.size() < 40'000'000) malformed += str("\xc3", std::string(1'999, '\x80'));
  const struct {
    const char* sql;
    std::string_view text;
    std::string_view second;
  } cases[] = {{"select ? like ?", text, like},
               {"select ? glob ?", text, glob},
               {"select rtrim(?, ?)", malformed, characters}};
  for (const auto& [sql, first, second] : cases) {
    SCOPED_TRACE(sql);
    database.startRun(milliseconds(30));
    std::thread watchdog([&database] {
      std::this_thread::sleep_for(milliseconds(30));
      database.interrupt();
    });
    const ValueView values[] = {ValueView::ofText(first), ValueView::ofText(second)};
    expectError(ErrorCode::LimitExceeded, "a query ran when the time was over: runTimeMax is 30ms",
                [&, sql = sql] { database.prepare(sql, Rules::Guest).run(values); });
    watchdog.join();
  }
}

TEST(Functions, CanBeUsedInIndexesAndTriggers) {
  Database database({});
  for (const char* sql : {
           "create table t (a text check (instr(a, ' ') = 0), b text as (trim(a, 'x')))",
           "create index t_a on t (replace(a, '-', ''))",
           "create view v as select * from t where a like 'a%' and a glob 'a*'",
           "create trigger r after insert on t when new.a like 'z%' begin delete from t; end",
           "insert into t (a) values ('xa-bx'), ('zz')",
           "select * from v",
       }) {
    SCOPED_TRACE(sql);
    EXPECT_NO_THROW(database.execute(sql, Rules::Guest));
  }
}

}  // namespace
}  // namespace schemascript
