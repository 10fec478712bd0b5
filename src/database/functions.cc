// What SQLite's func.c does, including what it does with NUL and malformed UTF-8: functions-test.cc
// compares the two.
#include "database/functions.h"

#include <sqlite3.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "database/database.h"
#include "database/work.h"

namespace schemascript {
namespace {

using Values = std::span<sqlite3_value*>;

struct FreeValue {
  void operator()(sqlite3_value* raw) const noexcept { sqlite3_value_free(raw); }
};
struct FreeBytes {
  void operator()(char* raw) const noexcept { sqlite3_free(raw); }
};

std::size_t lengthLimit(sqlite3_context* context) {
  return static_cast<std::size_t>(
      sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1));
}

// With a NUL behind it. Nothing for NULL, and without memory, which SQLite reports itself.
std::optional<std::string_view> tryText(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) return std::nullopt;
  return std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

void answerText(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

constexpr std::uint8_t byteOf(char letter) { return static_cast<std::uint8_t>(letter); }
constexpr bool isContinuation(char letter) { return (byteOf(letter) & 0xc0) == 0x80; }
// Only these take continuation bytes with them.
constexpr bool isLead(char letter) { return byteOf(letter) >= 0xc0; }

// Where the character at the beginning of `text` ends. `text` is not empty.
std::size_t characterSize(std::string_view text) {
  std::size_t size = 1;
  if (isLead(text[0])) {
    while (size < text.size() && isContinuation(text[size])) ++size;
  }
  return size;
}

// Where `needle` begins in `text` at or behind `from`, or npos. `needle` is not empty.
std::size_t find(std::string_view text, std::string_view needle, std::size_t from, Work& work) {
  // Comparing that much takes no longer than finding where to compare.
  constexpr std::size_t kShortBytesMax = 32;
  if (text.size() < needle.size()) return std::string_view::npos;
  const std::size_t end = text.size() - needle.size() + 1;  // Behind the last possible beginning.
  const bool isShort = needle.size() <= kShortBytesMax;
  // memmem() studies the needle each time; four times its size keeps that below the search.
  const std::size_t windowMax = std::max(Work::kStepsBetweenLooks, isShort ? 0 : 4 * needle.size());
  while (from < end) {
    const std::size_t window = std::min(end - from, windowMax);
    const char* const at = text.data() + from;
    const auto* const hit = static_cast<const char*>(
        isShort ? ::memchr(at, needle[0], window)
                : ::memmem(at, window + needle.size() - 1, needle.data(), needle.size()));
    if (hit == nullptr) {
      work.add(window);
      from += window;
      continue;
    }
    const auto skipped = static_cast<std::size_t>(hit - at);
    work.add(skipped + 1);
    from += skipped;
    if (!isShort || ::memcmp(hit, needle.data(), needle.size()) == 0) return from;
    ++from;
  }
  return std::string_view::npos;
}

// The number of the byte, or of the character for text.
enum class Unit : std::uint8_t { Bytes, Characters };

int positionOf(std::string_view text, std::string_view needle, Unit unit, Work& work) {
  if (unit == Unit::Characters && isContinuation(needle[0])) {
    // No character begins so, but the text as a whole may.
    return text.starts_with(needle) ? 1 : 0;
  }
  const std::size_t at = find(text, needle, 0, work);
  if (at == std::string_view::npos) return 0;
  if (unit == Unit::Bytes) return static_cast<int>(at + 1);
  const auto before = text.substr(0, at + 1).substr(1);
  return static_cast<int>(before.size() + 1) -
         static_cast<int>(std::count_if(before.begin(), before.end(), isContinuation));
}

void instr(sqlite3_context* context, Values values, Work& work) {
  const int textType = sqlite3_value_type(values[0]);
  const int needleType = sqlite3_value_type(values[1]);
  if (textType == SQLITE_NULL || needleType == SQLITE_NULL) return;
  if (sqlite3_value_bytes(values[1]) == 0) return sqlite3_result_int(context, 1);
  if (textType == SQLITE_BLOB && needleType == SQLITE_BLOB) {
    const auto blob = [](sqlite3_value* value) {
      const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
      const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
      // The zeros of zeroblob() are made only here.
      if (bytes == nullptr && size != 0) throw std::bad_alloc();
      return std::string_view(bytes, size);
    };
    return sqlite3_result_int(context,
                              positionOf(blob(values[0]), blob(values[1]), Unit::Bytes, work));
  }
  // A blob that becomes a text must stay a blob for whoever else reads the value.
  const auto copyOf = [mixed = textType == SQLITE_BLOB ||
                               needleType == SQLITE_BLOB](sqlite3_value* value) {
    std::unique_ptr<sqlite3_value, FreeValue> copy(mixed ? sqlite3_value_dup(value) : nullptr);
    if (mixed && !copy) throw std::bad_alloc();
    return copy;
  };
  const auto textCopy = copyOf(values[0]);
  const auto needleCopy = copyOf(values[1]);
  const auto text = tryText(textCopy ? textCopy.get() : values[0]);
  const auto needle = tryText(needleCopy ? needleCopy.get() : values[1]);
  if (!text || !needle) return sqlite3_result_error_nomem(context);
  if (needle->empty()) return sqlite3_result_int(context, 1);
  sqlite3_result_int(context, positionOf(*text, *needle, Unit::Characters, work));
}

void replace(sqlite3_context* context, Values values, Work& work) {
  const auto text = tryText(values[0]);
  if (!text) return;
  const auto needle = tryText(values[1]);
  if (!needle) return;
  // Empty, or looks so in C.
  if ((*needle)[0] == 0) {
    return sqlite3_result_text(context, text->data(), static_cast<int>(text->size()),
                               SQLITE_TRANSIENT);
  }
  const auto replacement = tryText(values[2]);
  if (!replacement) return;

  // Like SQLite, which counts the NUL only here.
  const std::size_t bytesMax = lengthLimit(context);
  if (text->size() + 1 > bytesMax) return sqlite3_result_error_toobig(context);
  std::size_t capacity = text->size() + 1;
  std::unique_ptr<char, FreeBytes> out(static_cast<char*>(sqlite3_malloc64(capacity)));
  if (!out) throw std::bad_alloc();
  std::size_t size = 0;
  std::size_t resultBytes = text->size();
  const auto append = [&out, &size](std::string_view bytes) {
    bytes.copy(out.get() + size, bytes.size());
    size += bytes.size();
  };

  std::size_t done = 0;
  for (;;) {
    const std::size_t at = find(*text, *needle, done, work);
    if (at == std::string_view::npos) break;
    resultBytes = resultBytes - needle->size() + replacement->size();
    if (replacement->size() > needle->size() && resultBytes > bytesMax) {
      return sqlite3_result_error_toobig(context);
    }
    if (resultBytes + 1 > capacity) {
      capacity = std::min(2 * (resultBytes + 1), bytesMax + 1);
      char* const larger = static_cast<char*>(sqlite3_realloc64(out.get(), capacity));
      if (larger == nullptr) throw std::bad_alloc();
      static_cast<void>(out.release());
      out.reset(larger);
    }
    append(text->substr(done, at - done));
    append(*replacement);
    work.add(replacement->size() / 16);
    done = at + needle->size();
  }
  append(text->substr(done));
  sqlite3_result_text(context, out.release(), static_cast<int>(size), sqlite3_free);
}

// The characters that trim() removes. Where one is the beginning of another, which well-formed
// UTF-8 knows nothing of, the one that was named first counts.
class CharacterSet {
 public:
  // Keeps a view of `text`.
  CharacterSet(std::string_view text, Work& work) : text_(text) {
    singles_.fill(kNone);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = characterSize(text.substr(at));
      work.add(size);
      if (size == 1) {
        auto& known = singles_[byteOf(text[at])];
        known = std::min(known, static_cast<std::uint32_t>(at));
      } else {
        insert({.at = static_cast<std::uint32_t>(at), .size = static_cast<std::uint32_t>(size)},
               work);
      }
      at += size;
    }
  }

  // The size of the character at the beginning of `text`, or at its end; 0 if it is none of ours.
  std::size_t first(std::string_view text, Work& work) const {
    Character best{.at = singles_[byteOf(text.front())], .size = 1};
    if (isLead(text.front())) {
      for (const std::uint32_t size : sizes_) {
        if (size > text.size()) break;
        prefer(text.substr(0, size), best, work);
      }
    }
    work.add(1);
    return best.at == kNone ? 0 : best.size;
  }
  std::size_t last(std::string_view text, Work& work) const {
    Character best{.at = singles_[byteOf(text.back())], .size = 1};
    if (isContinuation(text.back())) {
      for (const std::uint32_t size : sizes_) {
        if (size > text.size()) break;
        if (isLead(text[text.size() - size])) prefer(text.substr(text.size() - size), best, work);
        work.add(1);
      }
    }
    work.add(1);
    return best.at == kNone ? 0 : best.size;
  }

 private:
  struct Character {
    std::uint32_t at;  // In `text_`.
    std::uint32_t size;
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr Character kFree{.at = kNone, .size = 0};

  std::string_view view(Character character) const {
    return text_.substr(character.at, character.size);
  }

  // Where `bytes` is in `table`, or would be.
  std::size_t slotOf(const std::vector<Character>& table, std::string_view bytes,
                     Work& work) const {
    std::size_t slot = std::hash<std::string_view>()(bytes) % table.size();
    work.add(bytes.size());
    // Many in a row only if somebody has chosen them for their hashes.
    while (table[slot].at != kNone && view(table[slot]) != bytes) {
      slot = (slot + 1) % table.size();
      work.add(1);
    }
    return slot;
  }

  void prefer(std::string_view bytes, Character& best, Work& work) const {
    const Character found = table_[slotOf(table_, bytes, work)];
    if (found.at < best.at) best = found;
  }

  void insert(Character character, Work& work) {
    if (2 * (count_ + 1) > table_.size()) {
      std::vector<Character> larger(std::max<std::size_t>(16, 2 * table_.size()), kFree);
      for (const Character known : table_) {
        if (known.at != kNone) larger[slotOf(larger, view(known), work)] = known;
        work.add(1);
      }
      table_ = std::move(larger);
    }
    Character& slot = table_[slotOf(table_, view(character), work)];
    if (slot.at != kNone) return;
    slot = character;
    ++count_;
    // One to three of them, unless somebody tries.
    const auto place = std::lower_bound(sizes_.begin(), sizes_.end(), character.size);
    if (place == sizes_.end() || *place != character.size) sizes_.insert(place, character.size);
  }

  const std::string_view text_;
  std::array<std::uint32_t, 256> singles_;  // Where the characters of one byte are in `text_`.
  std::vector<Character> table_;            // The longer ones, by hash, at most half full.
  std::size_t count_ = 0;
  std::vector<std::uint32_t> sizes_;  // Of the longer ones, ascending.
};

// SQLite lists the characters, and holds the list to the limit of a value.
bool fitsList(std::string_view characters, std::size_t bytesMax) {
  constexpr std::size_t kEntryBytes = sizeof(char*) + sizeof(unsigned);
  std::size_t count = 0;
  for (std::size_t at = 0; at < characters.size(); at += characterSize(characters.substr(at))) {
    ++count;
  }
  return count * kEntryBytes <= bytesMax;
}

enum class Ends : std::uint8_t { Left, Right, Both };

template <Ends ends>
void trim(sqlite3_context* context, Values values, Work& work) {
  const auto all = tryText(values[0]);
  if (!all) return;
  std::string_view characters = " ";
  if (values.size() == 2) {
    const auto given = tryText(values[1]);
    if (!given) return;
    characters = given->substr(0, given->find('\0'));
    if (!fitsList(characters, lengthLimit(context))) return sqlite3_result_error_toobig(context);
  }
  std::string_view text = *all;
  const CharacterSet set(characters, work);
  if (ends != Ends::Right) {
    while (!text.empty()) {
      const std::size_t size = set.first(text, work);
      if (size == 0) break;
      text.remove_prefix(size);
    }
  }
  if (ends != Ends::Left) {
    while (!text.empty()) {
      const std::size_t size = set.last(text, work);
      if (size == 0) break;
      text.remove_suffix(size);
    }
  }
  answerText(context, text);
}

// Reads the characters of a text, which ends at its first NUL, as SQLite does: what is malformed
// becomes something, too.
class Reader {
 public:
  explicit Reader(std::string_view text)
      : at_(text.data()), end_(text.data() + std::min(text.find('\0'), text.size())) {}

  bool atEnd() const noexcept { return at_ == end_; }
  const char* at() const noexcept { return at_; }
  const char* end() const noexcept { return end_; }
  void moveTo(const char* at) noexcept { at_ = at; }
  // 0 at the end.
  char32_t peek() const noexcept {
    Reader copy = *this;
    return copy.read();
  }
  // 0 at the end.
  char32_t read() noexcept {
    if (atEnd()) return 0;
    const std::uint8_t lead = byteOf(*at_++);
    if (lead < 0xc0) return lead;
    // The bits of the lead byte that count.
    char32_t character = lead < 0xe0    ? lead & 0x1fu
                         : lead < 0xf0  ? lead & 0x0fu
                         : lead < 0xf8  ? lead & 0x07u
                         : lead < 0xfc  ? lead & 0x03u
                         : lead == 0xfd ? 0x01u
                                        : 0x00u;
    while (at_ != end_ && isContinuation(*at_)) character = (character << 6) + (*at_++ & 0x3f);
    const bool isCharacter = character >= 0x80 && (character & 0xfffff800) != 0xd800 &&
                             (character & 0xfffffffe) != 0xfffe;
    return isCharacter ? character : 0xfffd;
  }

 private:
  const char* at_;
  const char* end_;
};

enum class Letters : std::uint8_t { Exact, AnyCase };

// What means more than itself in a pattern; 0 for what the pattern does not have.
struct Syntax {
  char32_t anyText;
  char32_t anyCharacter;
  char32_t set;
  char32_t escape;
  Letters letters;
};
constexpr Syntax kLike{
    .anyText = '%', .anyCharacter = '_', .set = 0, .escape = 0, .letters = Letters::AnyCase};
constexpr Syntax kGlob{
    .anyText = '*', .anyCharacter = '?', .set = '[', .escape = 0, .letters = Letters::Exact};

constexpr char32_t lowerCase(char32_t character) {
  return character >= 'A' && character <= 'Z' ? character - 'A' + 'a' : character;
}

// Finds the next of two bytes, and looks at no byte twice for that.
class ByteFinder {
 public:
  ByteFinder(char one, char other) : bytes_{one, other} {}

  const char* find(const char* from, const char* end) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (next_[i] != nullptr && next_[i] >= from) continue;
      const auto* hit =
          static_cast<const char*>(::memchr(from, bytes_[i], static_cast<std::size_t>(end - from)));
      next_[i] = hit == nullptr ? end : hit;
    }
    return std::min(next_[0], next_[1]);
  }

 private:
  std::array<char, 2> bytes_;
  std::array<const char*, 2> next_{};
};

// One run over a text. Only the last "any text" is ever tried again: what is between two of them
// matches best where it first matches.
class PatternMatch {
 public:
  PatternMatch(std::string_view pattern, std::string_view text, const Syntax& syntax, Work& work)
      : syntax_(syntax), work_(work), pattern_(pattern), text_(text) {}

  bool run() {
    for (;;) {
      work_.add(1);
      switch (step()) {
        case Step::Fits:
          continue;
        case Step::Matched:
          return true;
        case Step::Impossible:
          return false;
        case Step::Differs:
          if (!retry()) return false;
      }
    }
  }

 private:
  enum class Step : std::uint8_t { Fits, Matched, Differs, Impossible };

  // Moves both readers behind one element of the pattern.
  Step step() {
    if (pattern_.atEnd()) return text_.atEnd() ? Step::Matched : Step::Differs;
    char32_t wanted = pattern_.read();
    if (wanted == syntax_.anyText) return skipAnyText();
    if (wanted == syntax_.set) return matchSet();
    const bool escaped = wanted == syntax_.escape;
    if (escaped) {
      if (pattern_.atEnd()) return Step::Impossible;
      wanted = pattern_.read();
    }
    if (text_.atEnd()) return Step::Differs;
    const char32_t found = text_.read();
    const bool fits = wanted == found || (wanted == syntax_.anyCharacter && !escaped) ||
                      (syntax_.letters == Letters::AnyCase && wanted < 0x80 && found < 0x80 &&
                       lowerCase(wanted) == lowerCase(found));
    return fits ? Step::Fits : Step::Differs;
  }

  // Behind an "any text": remembers the place, and goes where the text can go on.
  Step skipAnyText() {
    char32_t next = 0;
    for (;;) {
      if (pattern_.atEnd()) return Step::Matched;
      next = pattern_.peek();
      if (next != syntax_.anyText && next != syntax_.anyCharacter) break;
      pattern_.read();
      if (next == syntax_.anyText) continue;
      if (text_.atEnd()) return Step::Impossible;
      text_.read();
    }
    patternAgain_ = pattern_.at();
    textAgain_ = text_.at();
    first_.reset();
    if (next == syntax_.escape) {
      Reader behind = pattern_;
      behind.read();
      next = behind.peek();
    }
    if (next < 0x80 && next != syntax_.set) {
      const char letter = static_cast<char>(next);
      const bool anyCase =
          syntax_.letters == Letters::AnyCase && lowerCase(next) >= 'a' && lowerCase(next) <= 'z';
      first_.emplace(letter, anyCase ? static_cast<char>(letter ^ 0x20) : letter);
    }
    return goOn() ? Step::Fits : Step::Impossible;
  }

  // From the next character of the text on. False when there is none that could match.
  bool retry() {
    if (patternAgain_ == nullptr) return false;
    text_.moveTo(textAgain_);
    text_.read();
    textAgain_ = text_.at();
    pattern_.moveTo(patternAgain_);
    return goOn();
  }

  bool goOn() {
    if (first_) {
      textAgain_ = first_->find(textAgain_, text_.end());
      text_.moveTo(textAgain_);
    }
    return !text_.atEnd();
  }

  // Behind a `[`.
  Step matchSet() {
    if (text_.atEnd()) return Step::Differs;
    const char* const begin = pattern_.at();
    const char32_t found = text_.read();
    char32_t next = pattern_.read();
    const bool inverted = next == '^';
    if (inverted) next = pattern_.read();
    bool seen = false;
    char32_t before = 0;
    if (next == ']') {
      seen = found == ']';
      next = pattern_.read();
    }
    for (; next != 0 && next != ']'; next = pattern_.read()) {
      if (next == '-' && pattern_.peek() != ']' && !pattern_.atEnd() && before > 0) {
        next = pattern_.read();
        seen |= found >= before && found <= next;
        before = 0;
      } else {
        seen |= found == next;
        before = next;
      }
    }
    work_.add(static_cast<std::size_t>(pattern_.at() - begin));
    if (next == 0) return Step::Impossible;
    return seen != inverted ? Step::Fits : Step::Differs;
  }

  const Syntax& syntax_;
  Work& work_;
  Reader pattern_;
  Reader text_;
  // Where to go on when the rest does not match; null before the first "any text".
  const char* patternAgain_ = nullptr;
  const char* textAgain_ = nullptr;
  // For what must come first there, when that is one ASCII character.
  std::optional<ByteFinder> first_;
};

bool isBlob(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_BLOB; }

template <const Syntax& usual>
void match(sqlite3_context* context, Values values, Work& work) {
  static const bool neverMatchesBlobs = sqlite3_compileoption_used("LIKE_DOESNT_MATCH_BLOBS") != 0;
  if (neverMatchesBlobs && (isBlob(values[0]) || isBlob(values[1]))) {
    return sqlite3_result_int(context, 0);
  }
  sqlite3* const connection = sqlite3_context_db_handle(context);
  if (sqlite3_value_bytes(values[0]) >
      sqlite3_limit(connection, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, -1)) {
    return sqlite3_result_error(context, "LIKE or GLOB pattern too complex", -1);
  }
  Syntax syntax = usual;
  if (values.size() == 3) {
    const auto escape = tryText(values[2]);
    if (!escape) return;
    Reader reader(*escape);
    syntax.escape = reader.read();
    if (syntax.escape == 0 || !reader.atEnd()) {
      return sqlite3_result_error(context, "ESCAPE expression must be a single character", -1);
    }
    if (syntax.escape == syntax.anyText) syntax.anyText = 0;
    if (syntax.escape == syntax.anyCharacter) syntax.anyCharacter = 0;
  }
  const auto pattern = tryText(values[0]);
  const auto text = tryText(values[1]);
  if (!pattern || !text) return;
  sqlite3_result_int(context, PatternMatch(*pattern, *text, syntax, work).run() ? 1 : 0);
}

// The seam to SQLite: what is thrown becomes a result code.
template <void (*function)(sqlite3_context*, Values, Work&)>
void call(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  try {
    Work work(*static_cast<const Database*>(sqlite3_user_data(context)));
    function(context, {values, static_cast<std::size_t>(count)}, work);
  } catch (const Error&) {
    // Database::throwIfInterrupted() throws the same again on our side.
    sqlite3_result_error_code(context, SQLITE_INTERRUPT);
  } catch (...) {
    sqlite3_result_error_nomem(context);
  }
}

// SQLite's count from the opening of the connection, which a guest shares with those before it.
template <std::int64_t (Database::*count)() const noexcept>
void counter(sqlite3_context* context, int, sqlite3_value**) noexcept {
  const auto& database = *static_cast<const Database*>(sqlite3_user_data(context));
  sqlite3_result_int64(context, (database.*count)());
}

constexpr int kDeterministic = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
constexpr int kOfItsMoment = SQLITE_UTF8 | SQLITE_INNOCUOUS;

struct Function {
  const char* name;
  int arguments;
  void (*call)(sqlite3_context*, int, sqlite3_value**);
  int flags = kDeterministic;
};
constexpr Function kFunctions[] = {
    {"instr", 2, call<instr>},
    {"replace", 3, call<replace>},
    {"trim", 1, call<trim<Ends::Both>>},
    {"trim", 2, call<trim<Ends::Both>>},
    {"ltrim", 1, call<trim<Ends::Left>>},
    {"ltrim", 2, call<trim<Ends::Left>>},
    {"rtrim", 1, call<trim<Ends::Right>>},
    {"rtrim", 2, call<trim<Ends::Right>>},
    {"like", 2, call<match<kLike>>},
    {"like", 3, call<match<kLike>>},
    {"glob", 2, call<match<kGlob>>},
    {"changes", 0, counter<&Database::changes>, kOfItsMoment},
    {"total_changes", 0, counter<&Database::totalChanges>, kOfItsMoment},
};

}  // namespace

int registerFunctions(sqlite3* raw, const Database& database) {
  for (const Function& function : kFunctions) {
    const int status =
        sqlite3_create_function_v2(raw, function.name, function.arguments, function.flags,
                                   const_cast<Database*>(&database),  // Only ever read.
                                   function.call, nullptr, nullptr, nullptr);
    if (status != SQLITE_OK) return status;
  }
  return SQLITE_OK;
}

}  // namespace schemascript
