// What FTS5's auxiliary functions (fts5_aux.c) answer, in a few passes over the hits and the text:
// search-functions-test.cc compares the two. A position is the number of a token in its column.
#include "database/search-functions.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "database/database.h"
#include "database/statement.h"
#include "database/work.h"

namespace schemascript {
namespace {

using Values = std::span<sqlite3_value*>;

// The row that a function is called for.
struct Row {
  const Fts5ExtensionApi& api;
  Fts5Context* context;
  Work& work;
};

// Of one column; nothing for NULL and for what a contentless table does not have.
int readText(const Row& row, int column, std::optional<std::string_view>& text) {
  const char* bytes = nullptr;
  int size = 0;
  const int status = row.api.xColumnText(row.context, column, &bytes, &size);
  text.reset();
  if (status == SQLITE_OK && bytes != nullptr) {
    text.emplace(bytes, static_cast<std::size_t>(size));
  }
  return status;
}

// Up to its first NUL, as FTS5 reads it; empty for NULL.
std::string_view textOf(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// A place of a column, so that the places of a whole row have one order.
constexpr std::int64_t keyOf(int column, std::int64_t position) {
  return (static_cast<std::int64_t>(column) << 32) +
         std::clamp<std::int64_t>(position, 0, UINT32_MAX);
}

// More than FTS5 and a heap take for one.
constexpr std::size_t kStepsOfHit = 16;

// A phrase of the query, found.
struct Hit {
  std::int64_t key;
  int phrase;

  std::int64_t position() const noexcept { return key & UINT32_MAX; }
  int column() const noexcept { return static_cast<int>(key >> 32); }
};

// The hits of a row, in the order of their places, then of their phrases. FTS5's own list of them
// takes time with the product of hits and phrases. A copy goes its own way from there.
class Hits {
 public:
  explicit Hits(const Row& row) : row_(&row) {}

  // At the first hit. To be called once.
  int open() {
    const int phrases = row_->api.xPhraseCount(row_->context);
    for (int phrase = 0; phrase < phrases; ++phrase) {
      Cursor cursor{.hit = {.key = 0, .phrase = phrase}, .rest = {}};
      int column = 0;
      int position = 0;
      const int status =
          row_->api.xPhraseFirst(row_->context, phrase, &cursor.rest, &column, &position);
      if (status != SQLITE_OK) return status;
      row_->work.add(kStepsOfHit);
      if (column < 0) continue;
      cursor.hit.key = keyOf(column, position);
      cursors_.push_back(cursor);
    }
    std::make_heap(cursors_.begin(), cursors_.end(), isBehind);
    return SQLITE_OK;
  }

  bool atEnd() const noexcept { return cursors_.empty(); }
  // Not at the end.
  const Hit& hit() const noexcept { return cursors_.front().hit; }
  void next() {
    std::pop_heap(cursors_.begin(), cursors_.end(), isBehind);
    Cursor& cursor = cursors_.back();
    int column = 0;
    // FTS5 counts on from the last position.
    int position = static_cast<int>(cursor.hit.position());
    column = cursor.hit.column();
    row_->api.xPhraseNext(row_->context, &cursor.rest, &column, &position);
    row_->work.add(kStepsOfHit);
    if (column < 0) {
      cursors_.pop_back();
      return;
    }
    cursor.hit.key = keyOf(column, position);
    std::push_heap(cursors_.begin(), cursors_.end(), isBehind);
  }
  void skipTo(std::int64_t key) {
    while (!atEnd() && hit().key < key) next();
  }

 private:
  // One phrase: its next hit, and those behind it.
  struct Cursor {
    Hit hit;
    Fts5PhraseIter rest;
  };
  static bool isBehind(const Cursor& one, const Cursor& other) noexcept {
    return one.hit.key != other.hit.key ? one.hit.key > other.hit.key
                                        : one.hit.phrase > other.hit.phrase;
  }

  const Row* row_;  // Not a reference, so that hits can be assigned.
  std::vector<Cursor> cursors_;
};

// The tokens between two marks.
struct Range {
  std::int64_t first;
  std::int64_t last;
};

// Hits of one column, those that overlap as one.
class Ranges {
 public:
  Ranges(const Row& row, Hits hits, int column) : row_(row), hits_(std::move(hits)) {
    hits_.skipTo(keyOf(column, 0));
    end_ = keyOf(column + 1, 0);
  }

  std::optional<Range> tryNext() {
    std::optional<Range> range;
    for (; !hits_.atEnd() && hits_.hit().key < end_; hits_.next()) {
      const Hit& hit = hits_.hit();
      const std::int64_t last = hit.position() + row_.api.xPhraseSize(row_.context, hit.phrase) - 1;
      if (!range) {
        range = {.first = hit.position(), .last = last};
      } else if (hit.position() <= range->last) {
        range->last = std::max(range->last, last);
      } else {
        break;
      }
    }
    return range;
  }

 private:
  const Row& row_;
  Hits hits_;
  std::int64_t end_ = 0;
};

// Where a token is in its text, in bytes.
struct Token {
  std::size_t begin;
  std::size_t end;
};

// The seam to the tokenizer: what is thrown becomes a result code, which ends it.
template <typename Reader>
int onToken(void* reader, int flags, const char*, int, int begin, int end) noexcept {
  if ((flags & FTS5_TOKEN_COLOCATED) != 0) return SQLITE_OK;
  try {
    return static_cast<Reader*>(reader)->read(
        {.begin = static_cast<std::size_t>(begin), .end = static_cast<std::size_t>(end)});
  } catch (const Error&) {
    return SQLITE_INTERRUPT;
  } catch (...) {
    return SQLITE_NOMEM;
  }
}

// Calls `reader.read(Token)` for each token, until it does not answer SQLITE_OK.
template <typename Reader>
int tokenize(const Row& row, std::string_view text, Reader& reader) {
  return row.api.xTokenize(row.context, text.data(), static_cast<int>(text.size()), &reader,
                           onToken<Reader>);
}

// More than any token takes the tokenizer.
std::size_t stepsOf(const Token& token) { return 16 + (token.end - token.begin); }

// The answer as it grows.
class Output {
 public:
  explicit Output(sqlite3_context* context)
      : context_(context),
        bytesMax_(static_cast<std::size_t>(
            sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1))) {}

  // Up to the first NUL. SQLITE_TOOBIG when there would be too much.
  int append(std::string_view bytes) {
    bytes = bytes.substr(0, bytes.find('\0'));
    if (bytes.size() > bytesMax_ - text_.size()) return SQLITE_TOOBIG;
    text_ += bytes;
    return SQLITE_OK;
  }
  void answer() const {
    sqlite3_result_text(context_, text_.data(), static_cast<int>(text_.size()), SQLITE_TRANSIENT);
  }

 private:
  sqlite3_context* const context_;
  const std::size_t bytesMax_;
  std::string text_;
};

struct Marks {
  std::string_view before;
  std::string_view after;
};

// Copies a text, or some of its tokens, with marks around the hits.
class Highlighter {
 public:
  // All of the text, unless `part` is there; it must not begin within a range.
  Highlighter(const Row& row, std::string_view text, Ranges ranges, const Marks& marks,
              std::optional<Range> part, Output& output)
      : row_(row),
        text_(text),
        ranges_(std::move(ranges)),
        marks_(marks),
        part_(part),
        output_(output) {
    range_ = ranges_.tryNext();
    while (part_ && range_ && range_->first < part_->first) range_ = ranges_.tryNext();
  }

  int read(const Token& token) {
    const std::int64_t position = position_++;
    row_.work.add(stepsOf(token));
    if (part_) {
      if (position < part_->first || position > part_->last) return SQLITE_OK;
      if (position > 0 && position == part_->first) copied_ = token.begin;
    }
    // Tokens may overlap, and hits that do are between one pair of marks.
    int status = SQLITE_OK;
    if (open_ && (!range_ || position <= range_->first) && token.begin > copied_) status = close();
    if (status == SQLITE_OK && range_ && position == range_->first && !open_) {
      status = copyTo(token.begin);
      if (status == SQLITE_OK) status = open();
    }
    if (status == SQLITE_OK && range_ && position == range_->last) {
      if (!open_) status = open();
      if (status == SQLITE_OK) status = copyTo(token.end);
      range_ = ranges_.tryNext();
    }
    if (status == SQLITE_OK && part_ && position == part_->last) {
      if (open_ && range_ && position >= range_->first) status = copyTo(token.end);
      if (status == SQLITE_OK) status = close();
      if (status == SQLITE_OK) status = copyTo(token.end);
    }
    return status;
  }

  // Behind the last token.
  int close() {
    if (!open_) return SQLITE_OK;
    open_ = false;
    return output_.append(marks_.after);
  }
  int copyRest() { return copyTo(text_.size()); }

 private:
  int open() {
    open_ = true;
    return output_.append(marks_.before);
  }
  int copyTo(std::size_t end) {
    if (end <= copied_ || end > text_.size()) return SQLITE_OK;
    const std::string_view bytes = text_.substr(copied_, end - copied_);
    copied_ = end;
    return output_.append(bytes);
  }

  const Row& row_;
  const std::string_view text_;
  Ranges ranges_;
  const Marks marks_;
  const std::optional<Range> part_;
  Output& output_;
  std::optional<Range> range_;  // The next one, or the one that is open.
  std::int64_t position_ = 0;
  std::size_t copied_ = 0;
  bool open_ = false;
};

int highlight(sqlite3_context* context, const Row& row, Values values) {
  if (values.size() != 3) {
    sqlite3_result_error(context, "wrong number of arguments to function highlight()", -1);
    return SQLITE_OK;
  }
  const int column = sqlite3_value_int(values[0]);
  Output output(context);
  if (column < 0 || column >= row.api.xColumnCount(row.context)) {
    output.answer();
    return SQLITE_OK;
  }
  std::optional<std::string_view> text;
  int status = readText(row, column, text);
  if (status != SQLITE_OK || !text) return status;
  Hits hits(row);
  status = hits.open();
  if (status != SQLITE_OK) return status;
  Highlighter highlighter(row, *text, Ranges(row, std::move(hits), column),
                          {.before = textOf(values[1]), .after = textOf(values[2])}, std::nullopt,
                          output);
  status = tokenize(row, *text, highlighter);
  if (status == SQLITE_OK) status = highlighter.close();
  if (status == SQLITE_OK) status = highlighter.copyRest();
  if (status == SQLITE_OK) output.answer();
  return status;
}

// The hits of some tokens in a row, which move on.
class Window {
 public:
  // Of `size` tokens; nothing is in it yet.
  Window(const Row& row, const Hits& hits, std::int64_t size)
      : row_(row),
        size_(size),
        entering_(hits),
        leaving_(hits),
        counts_(static_cast<std::size_t>(row.api.xPhraseCount(row.context))) {}

  // Never backwards.
  void moveTo(int column, std::int64_t position) {
    const std::int64_t end = keyOf(column, position + size_);
    for (; !entering_.atEnd() && entering_.hit().key < end; entering_.next()) {
      last_ = entering_.hit();
      ++hits_;
      if (counts_[static_cast<std::size_t>(last_.phrase)]++ == 0) ++phrases_;
    }
    const std::int64_t begin = keyOf(column, position);
    for (; hits_ > 0 && leaving_.hit().key < begin; leaving_.next()) {
      --hits_;
      if (--counts_[static_cast<std::size_t>(leaving_.hit().phrase)] == 0) --phrases_;
    }
  }

  // The first hit of a phrase counts as much as a thousand more of it.
  std::int64_t score() const noexcept { return 999 * phrases_ + hits_; }

  // Where as much is before the first hit as behind the last one, if the column has that much.
  std::int64_t centered(std::int64_t columnSize) const {
    if (hits_ == 0) return 0;
    const std::int64_t first = leaving_.hit().position();
    const std::int64_t end = last_.position() + row_.api.xPhraseSize(row_.context, last_.phrase);
    const std::int64_t begin = first - (size_ - (end - first)) / 2;
    return std::max<std::int64_t>(std::min(begin, columnSize - size_), 0);
  }

 private:
  const Row& row_;
  const std::int64_t size_;
  Hits entering_;                      // At the first hit behind the window.
  Hits leaving_;                       // At the first hit in the window.
  Hit last_{};                         // In the window.
  std::vector<std::uint32_t> counts_;  // Of the hits in the window, by phrase.
  std::int64_t hits_ = 0;
  std::int64_t phrases_ = 0;
};

// Chooses the tokens of a snippet: the most phrases, then the most hits, and rather the beginning
// of a sentence. All else being equal, the first.
class SnippetFinder {
 public:
  struct Snippet {
    int column;
    std::int64_t position = 0;
    std::int64_t score = 0;
    int columnSize = 0;  // In tokens.
  };

  SnippetFinder(const Row& row, const Hits& hits, std::int64_t size, int usualColumn)
      : row_(row),
        size_(size),
        hits_(hits),
        around_(row, hits, size),
        sentence_(row, hits, size),
        best_{.column = usualColumn} {}

  // Columns come in ascending order.
  int search(int column) {
    column_ = column;
    sentenceBegin_.reset();
    position_ = 0;
    scanned_ = 0;
    inked_.reset();
    std::optional<std::string_view> text;
    int status = readText(row_, column, text);
    if (status != SQLITE_OK) return status;
    status = row_.api.xColumnSize(row_.context, column, &columnSize_);
    if (status != SQLITE_OK) return status;
    hits_.skipTo(keyOf(column, 0));
    if (text) {
      text_ = *text;
      status = tokenize(row_, text_, *this);
      if (status != SQLITE_OK) return status;
    }
    return scoreBefore(keyOf(column + 1, 0));
  }

  // Called by tokenize().
  int read(const Token& token) {
    const std::int64_t position = position_++;
    row_.work.add(stepsOf(token));
    if (position > 0 && !endsSentenceBefore(token.begin)) return SQLITE_OK;
    const int status = scoreBefore(keyOf(column_, position));
    sentenceBegin_ = position;
    return status;
  }

  const Snippet& best() const noexcept { return best_; }

 private:
  // Whether there is `.` or `:` with blanks behind it. Looks at no byte twice.
  bool endsSentenceBefore(std::size_t at) {
    for (const std::size_t end = std::min(at, text_.size()); scanned_ < end; ++scanned_) {
      const char letter = text_[scanned_];
      if (letter != ' ' && letter != '\t' && letter != '\n' && letter != '\r') inked_ = scanned_;
    }
    return inked_ && *inked_ + 1 < at && (text_[*inked_] == '.' || text_[*inked_] == ':');
  }

  // The hits from here on, all of them in the last sentence that has begun.
  int scoreBefore(std::int64_t end) {
    for (; !hits_.atEnd() && hits_.hit().key < end; hits_.next()) {
      const std::int64_t position = hits_.hit().position();
      // The text is not the one that the index was made of.
      if (position > columnSize_) return SQLITE_CORRUPT_VTAB;
      around_.moveTo(column_, position);
      prefer(around_.centered(columnSize_), around_.score());
      if (!sentenceBegin_ || *sentenceBegin_ >= position || columnSize_ <= size_) continue;
      constexpr std::int64_t kBeginningOfText = 120;
      constexpr std::int64_t kBeginningOfSentence = 100;
      sentence_.moveTo(column_, *sentenceBegin_);
      prefer(*sentenceBegin_,
             sentence_.score() + (*sentenceBegin_ == 0 ? kBeginningOfText : kBeginningOfSentence));
    }
    return SQLITE_OK;
  }

  void prefer(std::int64_t position, std::int64_t score) {
    if (score <= best_.score) return;
    best_ = {.column = column_, .position = position, .score = score, .columnSize = columnSize_};
  }

  const Row& row_;
  const std::int64_t size_;
  Hits hits_;  // At the first one that is not scored.
  Window around_;
  Window sentence_;
  Snippet best_;
  // Of the present column.
  int column_ = 0;
  int columnSize_ = 0;
  std::string_view text_;
  std::int64_t position_ = 0;
  std::optional<std::int64_t> sentenceBegin_;
  std::size_t scanned_ = 0;
  std::optional<std::size_t> inked_;  // The last byte before `scanned_` that is no blank.
};

// What FTS5's documentation asks for, and its newest version sees to.
constexpr std::int64_t kSnippetTokensMax = 64;

int snippet(sqlite3_context* context, const Row& row, Values values) {
  if (values.size() != 5) {
    sqlite3_result_error(context, "wrong number of arguments to function snippet()", -1);
    return SQLITE_OK;
  }
  const int column = sqlite3_value_int(values[0]);
  const std::string_view ellipsis = textOf(values[3]);
  const std::int64_t size =
      std::clamp<std::int64_t>(sqlite3_value_int64(values[4]), 0, kSnippetTokensMax);
  const int columns = row.api.xColumnCount(row.context);
  Hits hits(row);
  int status = hits.open();
  if (status != SQLITE_OK) return status;
  if (column >= columns) return SQLITE_RANGE;
  SnippetFinder finder(row, hits, size, std::max(column, 0));
  const int end = column < 0 ? columns : column + 1;
  for (int i = std::max(column, 0); i < end; ++i) {
    status = finder.search(i);
    // As in FTS5, a column that does not fit its index is passed over, unless it is the last one.
    if (status != SQLITE_OK && status != SQLITE_CORRUPT_VTAB) return status;
  }
  if (status != SQLITE_OK) return status;

  const SnippetFinder::Snippet& best = finder.best();
  std::optional<std::string_view> text;
  status = readText(row, best.column, text);
  if (status != SQLITE_OK || !text) return status;
  int columnSize = best.columnSize;
  if (columnSize == 0) status = row.api.xColumnSize(row.context, best.column, &columnSize);
  if (status != SQLITE_OK) return status;
  const Range part{.first = best.position, .last = best.position + size - 1};
  Output output(context);
  Highlighter highlighter(row, *text, Ranges(row, std::move(hits), best.column),
                          {.before = textOf(values[1]), .after = textOf(values[2])},
                          part.last >= 0 ? std::optional(part) : std::nullopt, output);
  if (best.position > 0) status = output.append(ellipsis);
  if (status == SQLITE_OK) status = tokenize(row, *text, highlighter);
  if (status == SQLITE_OK) status = highlighter.close();
  if (status == SQLITE_OK) {
    status = part.last >= columnSize - 1 ? highlighter.copyRest() : output.append(ellipsis);
  }
  if (status == SQLITE_OK) output.answer();
  return status;
}

// What bm25 knows of a whole query: the same for each of its rows.
struct Weights {
  double rowSize;                // The tokens of a row, on the average.
  std::vector<double> rareness;  // Of each phrase.
};

// The rows that hold a phrase, as they are counted.
struct Count {
  const Database& database;
  sqlite3_int64 rows;
};

constexpr sqlite3_int64 kRowsBetweenLooks = 64;  // At the clock.

// FTS5 comes with another context here, which knows no function.
int countRow(const Fts5ExtensionApi*, Fts5Context*, void* count) noexcept {
  auto& [database, rows] = *static_cast<Count*>(count);
  ++rows;
  const bool looks = rows % kRowsBetweenLooks == 0;
  return (looks ? database.mustStopNow() : database.mustStop()) ? SQLITE_INTERRUPT : SQLITE_OK;
}

int weigh(const Row& row, Weights& weights) {
  const auto& database = *static_cast<const Database*>(row.api.xUserData(row.context));
  sqlite3_int64 rows = 0;
  int status = row.api.xRowCount(row.context, &rows);
  sqlite3_int64 tokens = 0;
  if (status == SQLITE_OK) status = row.api.xColumnTotalSize(row.context, -1, &tokens);
  weights.rowSize = static_cast<double>(tokens) / static_cast<double>(rows);
  const int phrases = row.api.xPhraseCount(row.context);
  for (int phrase = 0; phrase < phrases && status == SQLITE_OK; ++phrase) {
    Count count{.database = database, .rows = 0};
    status = row.api.xQueryPhrase(row.context, phrase, &count, countRow);
    const double idf = std::log((static_cast<double>(rows - count.rows) + 0.5) /
                                (static_cast<double>(count.rows) + 0.5));
    // A phrase of more than half of the rows counts next to nothing, and not against a row.
    weights.rareness.push_back(idf <= 0 ? 1e-6 : idf);
  }
  return status;
}

// The Okapi BM25 function, with the constants of FTS5's documentation; the best row has the least.
int bm25(sqlite3_context* context, const Row& row, Values values) {
  auto* weights = static_cast<Weights*>(row.api.xGetAuxdata(row.context, 0));
  if (weights == nullptr) {
    auto made = std::make_unique<Weights>();
    int status = weigh(row, *made);
    if (status != SQLITE_OK) return status;
    weights = made.release();
    // Owns it from here on, even if it fails.
    status = row.api.xSetAuxdata(row.context, weights,
                                 [](void* old) { delete static_cast<Weights*>(old); });
    if (status != SQLITE_OK) return status;
  }
  std::vector<double> columnWeights;
  for (sqlite3_value* const value : values) columnWeights.push_back(sqlite3_value_double(value));
  int size = 0;
  int status = row.api.xColumnSize(row.context, -1, &size);
  double score = 0;
  for (std::size_t phrase = 0; phrase < weights->rareness.size(); ++phrase) {
    double frequency = 0;
    Fts5PhraseIter rest{};
    int column = 0;
    int position = 0;
    if (status == SQLITE_OK) {
      status =
          row.api.xPhraseFirst(row.context, static_cast<int>(phrase), &rest, &column, &position);
    }
    if (status != SQLITE_OK) return status;
    while (column >= 0) {
      const auto index = static_cast<std::size_t>(column);
      frequency += index < columnWeights.size() ? columnWeights[index] : 1.0;
      row.api.xPhraseNext(row.context, &rest, &column, &position);
      row.work.add(kStepsOfHit);
    }
    constexpr double kSaturation = 1.2;
    constexpr double kLength = 0.75;
    score += weights->rareness[phrase] *
             ((frequency * (kSaturation + 1.0)) /
              (frequency + kSaturation * (1 - kLength + kLength * size / weights->rowSize)));
  }
  sqlite3_result_double(context, -1.0 * score);
  return status;
}

// The seam to FTS5: what is thrown becomes a result code.
template <int (*function)(sqlite3_context*, const Row&, Values)>
void call(const Fts5ExtensionApi* api, Fts5Context* searched, sqlite3_context* context, int count,
          sqlite3_value** values) noexcept {
  int status = SQLITE_OK;
  try {
    Work work(*static_cast<const Database*>(api->xUserData(searched)));
    const Row row{.api = *api, .context = searched, .work = work};
    status = function(context, row, {values, static_cast<std::size_t>(count)});
  } catch (const Error&) {
    // Database::throwIfInterrupted() throws the same again on our side.
    status = SQLITE_INTERRUPT;
  } catch (...) {
    status = SQLITE_NOMEM;
  }
  if (status != SQLITE_OK) sqlite3_result_error_code(context, status);
}

// Leaves `api` null where SQLite has no FTS5, which hands itself out through a pointer that is
// bound.
int findApi(sqlite3* raw, fts5_api*& api) {
  sqlite3_stmt* prepared = nullptr;
  int status = sqlite3_prepare_v2(raw, "select fts5(?1)", -1, &prepared, nullptr);
  const StatementHandle statement(prepared);
  if (status == SQLITE_ERROR) return SQLITE_OK;  // There is no such function.
  if (status != SQLITE_OK) return status;
  status = sqlite3_bind_pointer(prepared, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
  if (status != SQLITE_OK) return status;
  status = sqlite3_step(prepared);
  return status == SQLITE_ROW ? SQLITE_OK : status;
}

constexpr std::string_view kBlanks = " \t\n\f\r";

constexpr char lowerCase(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

constexpr bool isLetter(char letter) {
  return lowerCase(letter) >= 'a' && lowerCase(letter) <= 'z';
}

// `word` is in lower case.
bool isWord(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char one, char other) { return lowerCase(one) == other; });
}

struct Function {
  const char* name;
  fts5_extension_function call;
};
constexpr Function kFunctions[] = {
    {"bm25", call<bm25>}, {"highlight", call<highlight>}, {"snippet", call<snippet>}};

// Removes blanks and comments, then the word, which is in lower case. Removes nothing behind the
// blanks if something else is there.
bool skipWord(std::string_view& sql, std::string_view word) {
  for (;;) {
    sql.remove_prefix(std::min(sql.find_first_not_of(kBlanks), sql.size()));
    const bool isLine = sql.starts_with("--");
    if (!isLine && !sql.starts_with("/*")) break;
    const std::size_t end = sql.find(isLine ? "\n" : "*/", 2);
    sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + (isLine ? 1 : 2));
  }
  if (!isWord(sql.substr(0, word.size()), word)) return false;
  sql.remove_prefix(word.size());
  return true;
}

// The name that ends at `end`, without its quotes; empty for whatever else ends there.
std::string_view nameBefore(std::string_view sql, std::size_t end) {
  while (end > 0 && kBlanks.find(sql[end - 1]) != std::string_view::npos) --end;
  if (end == 0) return {};
  const char last = sql[end - 1];
  std::size_t begin = end;
  if (last == '\'' || last == '"' || last == '`' || last == ']') {
    const std::size_t open =
        end == 1 ? std::string_view::npos : sql.rfind(last == ']' ? '[' : last, end - 2);
    return open == std::string_view::npos ? std::string_view()
                                          : sql.substr(open + 1, end - open - 2);
  }
  while (begin > 0 && isLetter(sql[begin - 1])) --begin;
  return sql.substr(begin, end - begin);
}

}  // namespace

bool leavesOutPositions(std::string_view sql) {
  if (!skipWord(sql, "create") || !skipWord(sql, "virtual")) return false;
  for (std::size_t at = sql.find('='); at != std::string_view::npos; at = sql.find('=', at + 1)) {
    // FTS5 takes the beginning of a word for the word.
    const std::string_view name = nameBefore(sql, at);
    if (!name.empty() && isWord(name, std::string_view("detail").substr(0, name.size()))) {
      return true;
    }
  }
  return false;
}

bool nestsTokenizers(std::string_view sql) {
  if (!skipWord(sql, "create") || !skipWord(sql, "virtual")) return false;
  constexpr std::string_view kPorter = "porter";
  constexpr std::size_t kNestedMax = 100;
  std::size_t nested = 0;
  for (std::size_t at = 0; at + kPorter.size() <= sql.size(); ++at) {
    if (isWord(sql.substr(at, kPorter.size()), kPorter)) ++nested;
  }
  return nested > kNestedMax;
}

int registerSearchFunctions(sqlite3* raw, const Database& database) {
  fts5_api* api = nullptr;
  const int status = findApi(raw, api);
  if (status != SQLITE_OK || api == nullptr) return status;
  for (const Function& function : kFunctions) {
    const int created = api->xCreateFunction(api, function.name,
                                             const_cast<Database*>(&database),  // Only ever read.
                                             function.call, nullptr);
    if (created != SQLITE_OK) return created;
  }
  return SQLITE_OK;
}

}  // namespace schemascript
