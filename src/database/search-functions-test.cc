#include "database/search-functions.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing.h"
#include "database/database.h"

namespace schemascript {
namespace {

using namespace std::string_literals;

fts5_api* apiOf(sqlite3* raw) {
  sqlite3_stmt* prepared = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(raw, "select fts5(?1)", -1, &prepared, nullptr), SQLITE_OK);
  const StatementHandle statement(prepared);
  fts5_api* api = nullptr;
  sqlite3_bind_pointer(prepared, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
  sqlite3_step(prepared);
  return api;
}

// A tokenizer of letters (also: whatever is not ASCII) and digits: `ab` is also `a`, at the same
// place. Counts its tokens, and interrupts a database at one of them.
struct Synonyms {
  std::size_t tokens = 0;
  std::size_t interruptsAt = 0;
  Database* interrupts = nullptr;

  void registerOn(sqlite3* raw) {
    fts5_tokenizer tokenizer{
        .xCreate = create, .xDelete = [](Fts5Tokenizer*) {}, .xTokenize = tokenize};
    fts5_api* const api = apiOf(raw);
    EXPECT_EQ(api->xCreateTokenizer(api, "synonyms", this, &tokenizer, nullptr), SQLITE_OK);
  }

 private:
  static int create(void* self, const char**, int, Fts5Tokenizer** tokenizer) {
    *tokenizer = static_cast<Fts5Tokenizer*>(self);
    return SQLITE_OK;
  }
  static int tokenize(Fts5Tokenizer* raw, void* context, int flags, const char* bytes, int size,
                      int (*onToken)(void*, int, const char*, int, int, int)) {
    auto* const self = reinterpret_cast<Synonyms*>(raw);
    const auto isLetter = [](char letter) {
      const auto byte = static_cast<unsigned char>(letter);
      return byte >= 0x80 || ::isalnum(byte) != 0;
    };
    for (int begin = 0; begin < size;) {
      if (!isLetter(bytes[begin])) {
        ++begin;
        continue;
      }
      int end = begin;
      while (end < size && isLetter(bytes[end])) ++end;
      ++self->tokens;
      if (self->tokens == self->interruptsAt) self->interrupts->interrupt();
      int status = onToken(context, 0, bytes + begin, end - begin, begin, end);
      if (status == SQLITE_OK && end - begin > 1 && (flags & FTS5_TOKENIZE_QUERY) == 0) {
        status = onToken(context, FTS5_TOKEN_COLOCATED, bytes + begin, 1, begin, end);
      }
      if (status != SQLITE_OK) return status;
      begin = end;
    }
    return SQLITE_OK;
  }
};

enum class Functions : std::uint8_t { BuiltIn, Own };

// A connection with FTS5's functions, or with ours, which stop with `database`.
class Connection {
 public:
  Connection(const Database& database, Functions functions) {
    EXPECT_EQ(sqlite3_open(":memory:", &raw_), SQLITE_OK);
    if (functions == Functions::Own) {
      EXPECT_EQ(registerSearchFunctions(raw_, database), SQLITE_OK);
    }
    synonyms.registerOn(raw_);
  }
  ~Connection() { sqlite3_close_v2(raw_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The kinds and bytes of all values, or what went wrong.
  std::string answer(std::string_view sql, std::span<const ValueView> values = {}) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(raw_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
        SQLITE_OK) {
      return str("does not compile: ", sqlite3_errmsg(raw_));
    }
    const StatementHandle owner(statement);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const int index = static_cast<int>(i + 1);
      const ValueView& value = values[i];
      const int size = static_cast<int>(value.bytes.size());
      if (value.kind == ValueKind::Integer) sqlite3_bind_int64(statement, index, value.integer);
      if (value.kind == ValueKind::Text) {
        sqlite3_bind_text(statement, index, value.bytes.data(), size, SQLITE_STATIC);
      }
      if (value.kind == ValueKind::Blob) {
        sqlite3_bind_blob(statement, index, value.bytes.data(), size, SQLITE_STATIC);
      }
    }
    std::string rows;
    int status = SQLITE_OK;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
      for (int column = 0; column < sqlite3_column_count(statement); ++column) {
        const int type = sqlite3_column_type(statement, column);
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
        rows += type == SQLITE_NULL ? "null" : str(type == SQLITE_TEXT ? "text " : "other ");
        if (bytes != nullptr) rows.append(bytes, size);
        rows += '\n';
      }
    }
    if (status != SQLITE_DONE) {
      rows += str("error ", sqlite3_extended_errcode(raw_), ": ", sqlite3_errmsg(raw_));
    }
    return rows;
  }

  Synonyms synonyms;

 private:
  sqlite3* raw_ = nullptr;
};

// Tables with the option `detail` are left out: SQLite 3.46 reads through null pointers for some of
// their searches.
class RandomSearch {
 public:
  explicit RandomSearch(std::uint32_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t end) { return random_() % end; }
  template <typename Values>
  auto oneOf(const Values& values) {
    return values[below(static_cast<std::uint32_t>(std::size(values)))];
  }

  // The statements that make and fill the table f and, perhaps, what it reads.
  std::vector<std::string> table() {
    static const char* const kTokenizers[] = {
        "unicode61", "ascii", "porter", "synonyms", "unicode61 tokenchars '-'", "trigram"};
    columns_ = 1 + static_cast<int>(below(3));
    isShort_ = below(4) == 0;
    std::string columns;
    std::string plainColumns;
    std::string parameters;
    for (int i = 0; i < columns_; ++i) {
      columns += str(i == 0 ? "" : ", ", "c", i, i > 0 && below(5) == 0 ? " unindexed" : "");
      plainColumns += str(i == 0 ? "" : ", ", "c", i);
      parameters += str(", ?", i + 2);
    }
    std::string options = str(", tokenize=\"", oneOf(kTokenizers), "\"");
    if (below(5) == 0) options += ", columnsize=0";
    if (below(3) == 0) options += ", prefix='1 2'";
    const std::uint32_t kind = below(4);
    if (kind == 0) options += ", content=''";
    if (kind == 1) options += ", content=source, content_rowid=id";
    insert_ = str("insert into f (rowid, ", plainColumns, ") values (?1", parameters, ")");
    insertSource_ =
        kind != 1 ? ""
                  : str("insert into source (id, ", plainColumns, ") values (?1", parameters, ")");
    return {"drop table if exists f", "drop table if exists source",
            str("create table source (id integer primary key, ", plainColumns, ")"),
            str("create virtual table f using fts5 (", columns, options, ")")};
  }
  const std::string& insert() const { return insert_; }
  const std::string& insertSource() const { return insertSource_; }
  int columns() const { return columns_; }

  std::string text() {
    static const std::string kPieces[] = {
        "a", "b", "ab", "abc", "aab", "running", "runs", "é",    "É",    "€",    "😀",       "a-b",
        ".", ":", "\n", "\t",  ". ",  ": ",      "\0"s,  "\xff", "\xc3", "\x80", "\xe2\x82", "  "};
    const std::uint32_t kinds = 1 + below(7);
    std::uint32_t chosen[7];
    for (auto& piece : chosen) piece = below(std::size(kPieces));
    const char* const separator = oneOf(kSeparators);
    std::string text;
    const std::uint32_t pieces = isShort_ ? below(8) : below(6) == 0 ? below(300) : below(40);
    for (std::uint32_t i = 0; i < pieces; ++i) {
      text += kPieces[chosen[below(kinds)]];
      text += below(6) == 0 ? oneOf(kSeparators) : separator;
    }
    return text;
  }

  std::string word() {
    static const char* const kWords[] = {"a", "b",   "ab",  "abc", "aab", "run",
                                         "é", "aba", "bab", "a-b", "."};
    return str("\"", oneOf(kWords), "\"");
  }
  std::string phrase() {
    std::string phrase = word();
    for (std::uint32_t more = below(6); more > 3; --more) phrase += str(" + ", word());
    if (below(5) == 0) phrase += " *";
    return below(6) == 0 ? str("^ ", phrase) : phrase;
  }
  std::string query(int depth = 3) {
    switch (below(depth == 0 ? 3 : 9)) {
      case 0:
      case 1:
        return phrase();
      case 2:
        if (!isShort_) return phrase();
        return str("NEAR(", word(), " ", word(), below(2) == 0 ? " a" : "", ", ", below(12), ")");
      case 3:
        return str("(", query(depth - 1), " AND ", query(depth - 1), ")");
      case 4:
        return str("(", query(depth - 1), " NOT ", query(depth - 1), ")");
      case 8:
        return str(below(3) == 0 ? "- " : "", "c", below(static_cast<std::uint32_t>(columns_)),
                   " : (", query(depth - 1), ")");
      default:
        return str("(", query(depth - 1), " OR ", query(depth - 1), ")");
    }
  }

  std::string call() {
    static const char* const kMarks[] = {"'<'",  "'>'", "'['", "']'",       "''",
                                         "null", "'€'", "1.5", "x'3c003e'", "'a' || char(0)",
                                         "'a'",  "'. '"};
    std::int64_t size = below(8) == 0 ? oneOf(std::vector{63, 64}) : 2 + below(12);
    int column = static_cast<int>(below(static_cast<std::uint32_t>(columns_)));
    // No less than 0 and no more than 64, beyond which ours differ.
    if (below(8) == 0) size = below(2);
    if (below(4) == 0) column = columns_ + static_cast<int>(below(2));
    if (below(8) == 0) column = -2;
    if (below(6) == 0) return below(2) == 0 ? "bm25(f)" : "bm25(f, 10, 0.5)";
    if (below(3) == 0) {
      return str("highlight(f, ", column, ", ", oneOf(kMarks), ", ", oneOf(kMarks), ")");
    }
    if (below(4) == 0) column = -1;
    return str("snippet(f, ", column, ", ", oneOf(kMarks), ", ", oneOf(kMarks), ", ", oneOf(kMarks),
               ", ", size, ")");
  }
  std::string select(const std::string& call) {
    static const char* const kForms[] = {
        "select rowid, CALL from f where f match ?1",
        "select rowid, CALL from f where f match ?1 order by rank",
        "select rowid, rank, CALL from f where f match ?1 order by rank",
        "select rowid, CALL from f where f match ?1 order by rowid desc",
        "select rowid, CALL from f where f match ?1 and rowid = 2",
        "select rowid, CALL, CALL from f where f match ?1",
        "select CALL from f",
        "select group_concat(CALL) from f where f match ?1"};
    std::string select = oneOf(kForms);
    for (std::size_t at = 0; (at = select.find("CALL", at)) != std::string::npos;) {
      select.replace(at, 4, call);
      at += call.size();
    }
    return select;
  }

 private:
  static constexpr const char* kSeparators[] = {" ", " ", "", ". ", ", ", ":\n", "-"};
  std::mt19937 random_;
  int columns_ = 1;
  // Then there are searches with NEAR. Where the positions of a phrase take more than 49 bytes,
  // SQLite (3.46 to 3.53) writes those that are near over them, grows that memory, and goes on
  // reading what it was before.
  bool isShort_ = false;
  std::string insert_;
  std::string insertSource_;
};

class SearchFunctions : public testing::Test {
 protected:
  SearchFunctions() { database_.execute("select 1", Rules::Guest); }

  void onBoth(std::string_view sql, std::span<const ValueView> values = {}) {
    EXPECT_EQ(own_.answer(sql, values), builtIn_.answer(sql, values)) << sql;
  }

  Database database_{DatabaseOptions{}};
  Connection own_{database_, Functions::Own};
  Connection builtIn_{database_, Functions::BuiltIn};
};

TEST_F(SearchFunctions, AnswerWhatTheBuiltInOnesAnswer) {
  const std::uint32_t seed = seedOr(43);
  RandomSearch random(seed);
  std::size_t answers = 0;
  for (int round = 0; round < 250; ++round) {
    std::string made;
    for (const std::string& sql : random.table()) {
      onBoth(sql);
      made = sql;
    }
    std::vector<std::string> texts;
    for (int row = 1; row <= 3; ++row) {
      texts.clear();
      std::vector<ValueView> values{ValueView::ofInteger(row)};
      for (int i = 0; i < random.columns(); ++i) texts.push_back(random.text());
      for (const std::string& text : texts) {
        values.push_back(random.below(12) == 0 ? ValueView::ofNull() : ValueView::ofText(text));
      }
      onBoth(random.insert(), values);
      // Seldom what was indexed, or nothing.
      const std::string other = random.text();
      if (random.below(6) == 0) values.back() = ValueView::ofText(other);
      if (!random.insertSource().empty() && random.below(10) != 0) {
        onBoth(random.insertSource(), values);
      }
    }
    for (int search = 0; search < 40; ++search) {
      const std::string query = random.query();
      const ValueView value = ValueView::ofText(query);
      const std::string sql = random.select(random.call());
      std::string expected = builtIn_.answer(sql, {&value, 1});
      // FTS5 takes no phrases at all for a lack of memory.
      if (expected == "error 7: out of memory") expected = "error 25: column index out of range";
      answers += expected.find("text") != std::string::npos ? 1 : 0;
      ASSERT_EQ(own_.answer(sql, {&value, 1}), expected) << made << "\n" << sql << "\n" << query;
    }
  }
  EXPECT_GT(answers, 1'500u);
}

TEST_F(SearchFunctions, MarkPhrasesThatOverlapOrAreCut) {
  own_.answer("create virtual table words using fts5 (a)");
  own_.answer("insert into words values ('one two three four. five six seven eight nine ten')");
  const auto answer = [this](std::string_view call, std::string_view query) {
    const ValueView value = ValueView::ofText(query);
    return own_.answer(str("select ", call, " from words where words match ?"), {&value, 1});
  };
  EXPECT_EQ(answer("highlight(words, 0, '<', '>')", "\"two three\" OR \"three four\" OR six"),
            "text one <two three four>. five <six> seven eight nine ten\n");
  EXPECT_EQ(answer("highlight(words, 1, '<', '>')", "two"), "text \n");
  EXPECT_EQ(answer("snippet(words, 0, '<', '>', '…', 1)", "one"), "text <one>…\n");
  EXPECT_EQ(answer("snippet(words, -1, '<', '>', '…', 2)", "\"six seven eight\""),
            "text …five <six>…\n");
  // More tokens than 64 are 64, fewer than 0 are 0.
  const std::string all = answer("snippet(words, 0, '<', '>', '…', 64)", "six");
  EXPECT_EQ(all, "text one two three four. five <six> seven eight nine ten\n");
  EXPECT_EQ(answer("snippet(words, 0, '<', '>', '…', 9223372036854775807)", "six"), all);
  EXPECT_EQ(answer("snippet(words, 0, '<', '>', '…', -9223372036854775808)", "six"),
            answer("snippet(words, 0, '<', '>', '…', 0)", "six"));
  EXPECT_EQ(answer("snippet(words, 1, '<', '>', '…', 5)", "six"),
            "error 25: column index out of range");
}

TEST_F(SearchFunctions, MarkTokensThatOverlap) {
  own_.answer("create virtual table parts using fts5 (a, tokenize=trigram)");
  own_.answer("insert into parts values ('abcabc abcd')");
  EXPECT_EQ(own_.answer("select highlight(parts, 0, '<', '>') from parts('abc')"),
            "text <abcabc> <abc>d\n");
  EXPECT_EQ(own_.answer("select highlight(parts, 0, '<', '>') from parts('cab OR bcd')"),
            "text ab<cab>c a<bcd>\n");
}

TEST_F(SearchFunctions, RefuseWhatTheBuiltInOnesRefuse) {
  for (const char* sql :
       {"create virtual table words using fts5 (a)", "insert into words values ('one two')",
        "create table plain (a)", "insert into plain values ('one two')",
        "select highlight(words, 0, '<') from words('one')",
        "select snippet(words, 0, '<', '>') from words('one')",
        "select highlight(plain, 0, '<', '>') from plain",
        "select snippet(a, 0, '<', '>', '', 4) from plain", "select bm25(plain) from plain",
        "select highlight(1, 0, '<', '>')", "select bm25(words) from words",
        "select highlight(w, 0, '<', '>') from (select words as w from words('one'))",
        "select highlight(words, 0, '<', '>') from words, plain",
        "select highlight(words, 0, '<', '>') from words group by rowid having words match 'one'",
        "select highlight(words, 0, x'', zeroblob(9)) from words('one')"}) {
    onBoth(sql);
  }
}

// A search may choose the function of its rank, past the authorizer.
TEST_F(SearchFunctions, AreTheFunctionsOfRankToo) {
  own_.synonyms.interrupts = &database_;
  own_.answer("create virtual table words using fts5 (a, tokenize=synonyms)");
  own_.answer("insert into words values ('one two one two')");
  const std::string_view sql =
      "select rank from words where words match 'one' and rank match 'highlight(0, ''<'', ''>'')'";
  EXPECT_EQ(own_.answer(sql), "text <one> two <one> two\n");
  EXPECT_EQ(own_.answer("select rank from words('one') where rank match 'bm25(2.0)'"),
            own_.answer("select bm25(words, 2.0) from words('one')"));
}

// The square of that, for the built-in ones; the test is that it ends.
TEST_F(SearchFunctions, TakeLinearTime) {
  constexpr std::size_t kTokens = 200'000;
  std::string text;
  for (std::size_t i = 0; i < kTokens; ++i) text += i % 10 == 0 ? "a. " : "a ";
  own_.answer("create virtual table words using fts5 (a, tokenize=synonyms)");
  const ValueView value = ValueView::ofText(text);
  own_.answer("insert into words values (?)", {&value, 1});
  std::string query = "a";
  for (int i = 0; i < 9; ++i) query += i % 2 == 0 ? " OR a" : " OR \"a a\"";
  const ValueView searched = ValueView::ofText(query);
  const auto tokensOf = [&](std::string_view call) {
    own_.synonyms.tokens = 0;
    EXPECT_TRUE(
        own_.answer(str("select length(", call, ") from words where words match ?"), {&searched, 1})
            .starts_with("other "));
    return own_.synonyms.tokens;
  };
  // Those of the query, too.
  const std::size_t queryTokens = tokensOf("'a'");
  EXPECT_LT(queryTokens, 200u);
  EXPECT_EQ(tokensOf("bm25(words)"), queryTokens);
  EXPECT_EQ(tokensOf("highlight(words, 0, '<', '>')"), queryTokens + kTokens);
  EXPECT_EQ(tokensOf("snippet(words, 0, '<', '>', '', 64)"), queryTokens + 2 * kTokens);
}

TEST_F(SearchFunctions, EndWhenTheTimeIsOver) {
  constexpr std::size_t kTokens = 500'000;
  std::string text;
  for (std::size_t i = 0; i < kTokens; ++i) text += "a ";
  own_.answer("create virtual table words using fts5 (a, tokenize=synonyms)");
  const ValueView value = ValueView::ofText(text);
  own_.answer("insert into words values (?)", {&value, 1});
  own_.synonyms.interrupts = &database_;
  for (const char* call :
       {"highlight(words, 0, '<', '>')", "snippet(words, 0, '<', '>', '', 64)"}) {
    for (const std::size_t before : {std::size_t{10}, kTokens / 2}) {
      SCOPED_TRACE(str(call, " ", before));
      database_.startRun(std::chrono::milliseconds(1'000));
      own_.synonyms.tokens = 0;
      own_.synonyms.interruptsAt = before;
      EXPECT_EQ(own_.answer(str("select ", call, " from words('a')")), "error 9: interrupted");
      // Some 16 steps each, and a look at the flag after every million.
      EXPECT_LT(own_.synonyms.tokens, before + 70'000);
    }
  }
  // Nothing but hits, without a token.
  database_.interrupt();
  EXPECT_EQ(own_.answer("select bm25(words) from words('a')"), "error 9: interrupted");
}

TEST_F(SearchFunctions, KeepToTheLengthOfAValue) {
  Database small({.limits = {.valueBytesMax = 1'000}});
  small.execute("create virtual table words using fts5 (a)", Rules::Guest);
  small.execute("insert into words values ('a b a b a b')", Rules::Guest);
  const std::string mark(331, '-');
  const auto select = [&](std::string_view open, std::string_view call) {
    const ValueView marks[] = {ValueView::ofText(open)};
    small.prepare(str("select ", call, " from words('a')"), Rules::Guest).run(marks);
  };
  for (const char* call : {"highlight(words, 0, ?, '')", "snippet(words, 0, '', ?, '', 9)"}) {
    SCOPED_TRACE(call);
    EXPECT_NO_THROW(select(std::string(329, '-'), call));
    expectError(ErrorCode::LimitExceeded,
                "a value or a row is longer than valueBytesMax (1000b) (SQLITE_TOOBIG)",
                [&] { select(mark, call); });
  }
}

TEST_F(SearchFunctions, AnswerGuestsOfADatabase) {
  database_.execute("create virtual table words using fts5 (a)", Rules::Guest);
  database_.execute("insert into words values ('one two')", Rules::Guest);
  Statement statement = database_.prepare(
      "select highlight(words, 0, '<', '>') || snippet(words, 0, '<', '>', '', 1) from "
      "words('two')",
      Rules::Guest);
  Execution execution(statement, {});
  ASSERT_TRUE(execution.step());
  EXPECT_EQ(execution.column(0).bytes, "one <two><two>");
}

TEST_F(SearchFunctions, NeedAllPositions) {
  for (const char* options : {"detail=none", "DETAIL = 'column'", "\"detail\"=none", "[d] = none",
                              "`det`\n=\"none\"", "tokenize=ascii, de = full"}) {
    SCOPED_TRACE(options);
    EXPECT_TRUE(leavesOutPositions(str("create virtual table w using fts5 (a, ", options, ")")));
    EXPECT_TRUE(leavesOutPositions(
        str(" -- a\n/* b */CREATE/**/Virtual\tTABLE w using fts5 (a, ", options, ")")));
  }
  for (const char* sql :
       {"create virtual table w using fts5 (detail, d, content='', tokenize=\"ascii '='\")",
        "create table w (a default 'detail=none')", "select detail=1 from t", "", "create", "--",
        "create virtual table w using fts5(=", "create virtual table w using fts5('=",
        "/* create"}) {
    SCOPED_TRACE(sql);
    EXPECT_FALSE(leavesOutPositions(sql));
  }
  for (const Rules rules : {Rules::Guest, Rules::SchemaDefinition}) {
    expectError(
        ErrorCode::NotAllowed,
        "the option detail of FTS5 is not available; leave it out, so that rank, highlight "
        "and snippet work",
        [&] { database_.execute("create virtual table w using fts5 (a, detail=none)", rules); });
  }
}

TEST_F(SearchFunctions, DoNotNestTokenizersDeeply) {
  const auto create = [](std::string_view name, int count) {
    std::string sql = str("create virtual table ", name, " using fts5 (a, tokenize='");
    for (int i = 0; i < count; ++i) sql += i % 2 == 0 ? "porter " : "Porter ";
    return sql + "ascii')";
  };
  EXPECT_FALSE(nestsTokenizers(create("w", 100)));
  EXPECT_FALSE(nestsTokenizers(create("w", 101).replace(0, 14, "")));
  database_.execute(create("few", 100), Rules::Guest);
  // Enough to end the process.
  for (const int count : {101, 140'000}) {
    for (const Rules rules : {Rules::Guest, Rules::SchemaDefinition}) {
      expectError(ErrorCode::NotAllowed,
                  "a tokenizer of FTS5 is nested too deeply; name porter once, before the "
                  "tokenizer that it works on",
                  [&] { database_.execute(create("many", count), rules); });
    }
  }
}

}  // namespace
}  // namespace schemascript
