// A parser for the one kind of object that a request is, and the writer of answers. The parser does
// not recurse, and does not copy what it can point to.
#include "bridge/json-codec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "base/base64.h"
#include "base/error.h"
#include "bridge/codec-rules.h"
#include "bridge/text.h"

namespace schemascript {
namespace {

// The integers that JavaScript's numbers hold exactly.
constexpr std::int64_t kSafeIntegerMax = (std::int64_t{1} << 53) - 1;
// Memory that a large answer needed is not kept beyond this.
constexpr std::size_t kKeptBytesMax = 1u << 20;

constexpr std::array<std::pair<std::string_view, Behavior>, 3> kBehaviors{
    {{"deferred", Behavior::Deferred},
     {"immediate", Behavior::Immediate},
     {"exclusive", Behavior::Exclusive}}};

bool isDigit(char byte) { return byte >= '0' && byte <= '9'; }

// For a message: short, and not in the middle of a character.
std::string_view shortened(std::string_view text) {
  constexpr std::size_t kShown = 40;
  if (text.size() <= kShown) return text;
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

class Decoder {
 public:
  Decoder(std::string_view text, const Limits& limits, Query& query)
      : text_(text), limits_(limits), query_(query) {}

  void decode() {
    Statement own;
    object([this, &own](std::string_view name) { field(name, own); });
    skipBlanks();
    if (at_ != text_.size()) fail("nothing but blanks after the object");
    if ((own.seen & kMethodField) == 0) throw invalidRequest("the request has no \"method\"");
    query_.method = own.step.method;
    checkFields(query_, own.seen);
    if (hasSql(query_.method)) query_.steps.push_back(own.step);
  }

 private:
  // The request itself, or one of its steps, while its fields are read.
  struct Statement {
    Step step{};
    unsigned seen = 0;
    // Of a step: its place in the batch.
    std::optional<std::size_t> place{};

    std::string name() const { return place ? str("steps[", *place, ']') : "the request"; }
  };

  [[noreturn]] void fail(std::string_view expected) const { failExpected(expected, at_); }

  // Calls `field` with the name of each field, at the place of its value.
  template <typename Field>
  void object(Field&& field) {
    expect('{');
    if (tryTake('}')) return;
    do {
      const std::string_view name = string("the name of a field");
      expect(':');
      field(name);
    } while (tryTake(','));
    expect('}');
  }

  void skipBlanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool tryTake(char byte) {
    skipBlanks();
    if (at_ >= text_.size() || text_[at_] != byte) return false;
    ++at_;
    return true;
  }

  void expect(char byte) {
    if (!tryTake(byte)) fail(std::string{'\'', byte, '\''});
  }

  // The byte that the next value begins with; 0 at the end.
  char peek() {
    skipBlanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void field(std::string_view name, Statement& own) {
    if (tryStatementField(name, own)) return;
    if (name == "transaction") {
      once(kTransactionField, name, own);
      query_.transaction = TransactionHandle{handle(name, "begin")};
    } else if (name == "cursor") {
      once(kCursorField, name, own);
      query_.cursor = CursorHandle{handle(name, "iterate")};
    } else if (name == "behavior") {
      once(kBehaviorField, name, own);
      behavior();
    } else if (name == "steps") {
      once(kStepsField, name, own);
      steps();
    } else {
      failUnknown(name, own);
    }
  }

  // The fields that a request and a step have in common.
  bool tryStatementField(std::string_view name, Statement& its) {
    if (name == "sql") {
      once(kSqlField, name, its);
      its.step.sql = string("a string for \"sql\"");
    } else if (name == "params") {
      once(kParamsField, name, its);
      params(its);
    } else if (name == "method") {
      once(kMethodField, name, its);
      its.step.method = method();
    } else {
      return false;
    }
    return true;
  }

  void once(RequestField which, std::string_view name, Statement& its) const {
    if ((its.seen & which) != 0) {
      throw invalidRequest(str(its.name(), " has two fields \"", name, "\""));
    }
    its.seen |= which;
  }

  [[noreturn]] void failUnknown(std::string_view name, const Statement& its) const {
    throw invalidRequest(str(its.name(), " has an unknown field \"", shortened(name), "\""));
  }

  Method method() {
    const std::string_view name = string("a string for \"method\"");
    const auto found = std::find(std::begin(kMethodNames), std::end(kMethodNames), name);
    if (found != std::end(kMethodNames))
      return Method{static_cast<std::uint8_t>(found - kMethodNames)};
    throw invalidRequest(str("there is no method \"", shortened(name),
                             "\"; there are run, all, values, get, batch, iterate, fetch, close, "
                             "begin, commit, rollback and push"));
  }

  void behavior() {
    const std::string_view name = string("a string for \"behavior\"");
    for (const auto& [candidate, behavior] : kBehaviors) {
      if (candidate != name) continue;
      query_.behavior = behavior;
      return;
    }
    throw invalidRequest(str("there is no behavior \"", shortened(name),
                             "\"; there are deferred, immediate and exclusive"));
  }

  // What the method `from` has answered. They count from 1.
  std::uint32_t handle(std::string_view name, std::string_view from) {
    const ValueView handle = isDigit(peek()) ? number() : ValueView::ofNull();
    if (handle.kind != ValueKind::Integer || handle.integer == 0 ||
        handle.integer > std::numeric_limits<std::uint32_t>::max()) {
      throw invalidRequest(str('"', name, "\" must be a number that ", from, " has answered"));
    }
    return static_cast<std::uint32_t>(handle.integer);
  }

  void steps() {
    if (peek() != '[') fail("an array for \"steps\"");
    expect('[');
    if (tryTake(']')) return;
    do {
      step();
    } while (tryTake(','));
    expect(']');
  }

  void step() {
    Statement its{.place = query_.steps.size()};
    object([this, &its](std::string_view name) {
      if (!tryStatementField(name, its)) failUnknown(name, its);
    });
    if ((its.seen & kMethodField) == 0) throw invalidRequest(its.name() + " has no \"method\"");
    if (!isStepMethod(its.step.method)) failStepMethod(its.step.method, its.name());
    if ((its.seen & kSqlField) == 0) throw invalidRequest(its.name() + " has no \"sql\"");
    query_.steps.push_back(its.step);
  }

  void params(Statement& its) {
    if (peek() != '[') fail("an array for \"params\"");
    expect('[');
    Step& step = its.step;
    step.firstParam = static_cast<std::uint32_t>(query_.params.size());
    if (tryTake(']')) return;
    do {
      if (step.paramCount == limits_.parametersMax ||
          query_.params.size() >= limits_.batchParametersMax) {
        checkParamCount(step.paramCount + 1, step.firstParam, limits_, its.name());
      }
      query_.params.push_back(param(its));
      ++step.paramCount;
    } while (tryTake(','));
    expect(']');
  }

  ValueView param(const Statement& its) {
    const char first = peek();
    if (first == '"') return ValueView::ofText(string("a string"));
    if (first == '-' || isDigit(first)) return number();
    if (first == '{') return tagged(its);
    if (tryWord("null")) return ValueView::ofNull();
    if (tryWord("true")) return ValueView::ofInteger(1);
    if (tryWord("false")) return ValueView::ofInteger(0);
    if (first == '[') failParam(its, "is an array; SQLite has no such value");
    fail("a value");
  }

  bool tryWord(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  [[noreturn]] static void failParam(const Statement& its, std::string_view what) {
    throw invalidRequest(
        str(its.place ? its.name() + '.' : "", "params[", its.step.paramCount, "] ", what));
  }

  // {"$int": "..."}, {"$real": "..."} or {"$blob": "..."}
  ValueView tagged(const Statement& its) {
    expect('{');
    if (peek() != '"') failParam(its, "is an object without \"$int\", \"$real\" or \"$blob\"");
    const std::string_view tag = string("a key");
    expect(':');
    if (tag != "$int" && tag != "$real" && tag != "$blob") {
      failParam(its, "is an object without \"$int\", \"$real\" or \"$blob\"");
    }
    if (peek() != '"') failParam(its, str("has no string for \"", tag, "\""));
    const std::string_view text = string("a string");
    if (peek() == ',') failParam(its, "is an object with a second key");
    expect('}');
    if (tag == "$int") return taggedInteger(text, its);
    if (tag == "$real") return taggedReal(text, its);
    return taggedBlob(text, its);
  }

  ValueView taggedInteger(std::string_view text, const Statement& its) const {
    std::int64_t integer = 0;
    const char* end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, integer);
    if (failure != std::errc{} || rest != end) {
      failParam(its, "has an \"$int\" that is not an integer of 64 bits");
    }
    return ValueView::ofInteger(integer);
  }

  ValueView taggedReal(std::string_view text, const Statement& its) const {
    if (text == "Infinity") return ValueView::ofReal(std::numeric_limits<double>::infinity());
    if (text == "-Infinity") return ValueView::ofReal(-std::numeric_limits<double>::infinity());
    if (text == "-0") return ValueView::ofReal(-0.0);
    if (text == "NaN") failParam(its, "is NaN, which SQLite would store as NULL");
    failParam(its, "has a \"$real\" that is not \"Infinity\", \"-Infinity\" or \"-0\"");
  }

  ValueView taggedBlob(std::string_view text, const Statement& its) {
    const auto size = base64DecodedSize(text);
    if (!size) failParam(its, "has a \"$blob\" that is not base64");
    reserveUnescaped();
    const std::size_t start = query_.unescaped.size();
    query_.unescaped.resize(start + *size);
    const std::span<char> bytes(query_.unescaped.data() + start, *size);
    if (!decodeBase64(text, bytes)) failParam(its, "has a \"$blob\" that is not base64");
    return ValueView::ofBlob({bytes.data(), bytes.size()});
  }

  ValueView number() {
    const std::size_t start = at_;
    if (text_[at_] == '-') ++at_;
    digits(Zeros::NotLeading);
    bool isInteger = true;
    if (at_ < text_.size() && text_[at_] == '.') {
      isInteger = false;
      ++at_;
      digits(Zeros::Anywhere);
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      isInteger = false;
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      digits(Zeros::Anywhere);
    }
    const char* const first = text_.data() + start;
    const char* const last = text_.data() + at_;
    if (isInteger) {
      std::int64_t integer = 0;
      const auto [rest, failure] = std::from_chars(first, last, integer);
      if (failure == std::errc{} && integer >= -kSafeIntegerMax && integer <= kSafeIntegerMax) {
        return ValueView::ofInteger(integer);
      }
    }
    double real = 0;
    const auto [rest, failure] = std::from_chars(first, last, real);
    if (failure != std::errc{}) {
      throw invalidRequest(str("the number at byte ", start, " is outside of what a double holds"));
    }
    return ValueView::ofReal(real);
  }

  enum class Zeros : std::uint8_t { NotLeading, Anywhere };

  void digits(Zeros zeros) {
    const std::size_t start = at_;
    while (at_ < text_.size() && isDigit(text_[at_])) ++at_;
    if (at_ == start) fail("a digit");
    if (zeros == Zeros::NotLeading && text_[start] == '0' && at_ - start > 1) {
      at_ = start;
      fail("a number without leading zeros");
    }
  }

  std::string_view string(std::string_view what) {
    if (peek() != '"') fail(what);
    ++at_;
    const std::size_t start = at_;
    skipCharacters();
    if (at_ < text_.size() && text_[at_] == '"') return text_.substr(start, at_++ - start);
    return unescape(start);
  }

  // To the quote or the backslash that comes next, or to the end.
  void skipCharacters() {
    for (;;) {
      at_ += plainLength(text_.substr(at_));
      if (at_ == text_.size() || text_[at_] == '"' || text_[at_] == '\\') return;
      if (static_cast<unsigned char>(text_[at_]) < 0x20) fail("no bare control character");
      const std::size_t length = characterLength(text_.substr(at_));
      if (length == 0) fail("UTF-8");
      at_ += length;
    }
  }

  // The rest of a string whose first escape is at the present place.
  std::string_view unescape(std::size_t start) {
    reserveUnescaped();
    std::string& out = query_.unescaped;
    const std::size_t first = out.size();
    out.append(text_.substr(start, at_ - start));
    for (;;) {
      if (at_ == text_.size()) fail("the end of a string");
      if (text_[at_] == '"') break;
      ++at_;
      escape(out);
      const std::size_t from = at_;
      skipCharacters();
      out.append(text_.substr(from, at_ - from));
    }
    ++at_;
    return std::string_view(out).substr(first);
  }

  void escape(std::string& out) {
    const char letter = at_ < text_.size() ? text_[at_] : '\0';
    if (letter == 'u') {
      ++at_;
      appendCharacter(out, codePoint());
      return;
    }
    const char meaning = meaningOf(letter);
    if (meaning == '\0') fail("an escape that JSON has");
    out += meaning;
    ++at_;
  }

  // Of the letter behind a backslash; 0 when JSON has no such escape.
  static char meaningOf(char letter) {
    switch (letter) {
      case '"':
      case '\\':
      case '/':
        return letter;
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      default:
        return '\0';
    }
  }

  // The code point of a \u escape or of two that are a pair of surrogates.
  char32_t codePoint() {
    const char32_t first = hexadecimal();
    if (first < 0xd800 || first > 0xdfff) return first;
    const bool isPair = first < 0xdc00 && text_.substr(at_).starts_with("\\u");
    if (isPair) at_ += 2;
    const char32_t second = isPair ? hexadecimal() : 0;
    if (second < 0xdc00 || second > 0xdfff) {
      throw invalidRequest(str("a string has half of a surrogate pair before byte ", at_,
                               "; such text has no UTF-8 form"));
    }
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
  }

  char32_t hexadecimal() {
    std::uint32_t number = 0;
    const std::string_view four = text_.substr(at_, 4);
    const auto [rest, failure] =
        std::from_chars(four.data(), four.data() + four.size(), number, 16);
    if (failure != std::errc{} || rest != four.data() + 4) fail("four hexadecimal digits");
    at_ += 4;
    return number;
  }

  // Views lead into it, so it must not move. No string gets longer by unescaping; one that had
  // escapes and holds base64 is in there twice.
  void reserveUnescaped() { query_.unescaped.reserve(2 * text_.size()); }

  const std::string_view text_;
  const Limits& limits_;
  Query& query_;
  std::size_t at_ = 0;
};

}  // namespace

void decodeJson(std::string_view request, const Limits& limits, Query& query) {
  Decoder(request, limits, query).decode();
}

void JsonAnswer::clear() noexcept {
  isBatch_ = false;
  bytes_.clear();
  // A new string, because shrink_to_fit() may throw.
  if (bytes_.capacity() > kKeptBytesMax) bytes_ = std::string();
}

void JsonAnswer::openBatch(std::uint32_t count) {
  isBatch_ = true;
  resultsWanted_ = count;
  results_ = 0;
  bytes_ += R"({"results":[)";
}

void JsonAnswer::closeBatch() {
  SS_CHECK(results_ == resultsWanted_, results_, " of ", resultsWanted_);
  bytes_ += "]}";
}

void JsonAnswer::openRows(Method method) {
  method_ = method;
  firstRow_ = true;
  if (isBatch_ && results_++ > 0) {
    bytes_ += ',';
    checkSize(0);
  }
  bytes_ += method == Method::Get ? R"({"rows":)" : R"({"rows":[)";
}

void JsonAnswer::openRow() {
  if (!firstRow_) bytes_ += ',';
  firstRow_ = false;
  firstValue_ = true;
  bytes_ += '[';
}

void JsonAnswer::closeRow() {
  bytes_ += ']';
  checkSize(0);
}

void JsonAnswer::closeRows(const Changes& changes, std::optional<CursorHandle> cursor) {
  if (method_ != Method::Get) {
    bytes_ += ']';
  } else if (firstRow_) {
    bytes_ += "null";
  }
  if (method_ != Method::Iterate && method_ != Method::Fetch) {
    bytes_ += R"(,"changes":)";
    integer(changes.rows);
    bytes_ += R"(,"lastInsertRowid":)";
    integer(changes.lastInsertRowid);
  }
  if (cursor) {
    bytes_ += R"(,"cursor":)";
    number(static_cast<std::uint32_t>(*cursor));
  }
  bytes_ += '}';
}

void JsonAnswer::value(const ValueView& value) {
  if (!firstValue_) bytes_ += ',';
  firstValue_ = false;
  checkSize(value.bytes.size());
  switch (value.kind) {
    case ValueKind::Null:
      bytes_ += "null";
      return;
    case ValueKind::Integer:
      integer(value.integer);
      return;
    case ValueKind::Real:
      real(value.real);
      return;
    case ValueKind::Text:
      if (!tryAppendJsonString(bytes_, value.bytes)) tagged("$text", value.bytes);
      return;
    case ValueKind::Blob:
      tagged("$blob", value.bytes);
      return;
  }
}

void JsonAnswer::transaction(TransactionHandle handle) {
  bytes_ += R"({"transaction":)";
  number(static_cast<std::uint32_t>(handle));
  bytes_ += '}';
}

void JsonAnswer::nothing() { bytes_ += "{}"; }

void JsonAnswer::pushed(const PushResult& result) {
  bytes_ += R"({"created":)";
  list(result.created);
  bytes_ += R"(,"unchanged":)";
  list(result.unchanged);
  bytes_ += '}';
}

void JsonAnswer::error(const Error& error) {
  bytes_ += R"({"error":{"code":)";
  text(nameOf(error.code()));
  bytes_ += R"(,"message":)";
  text(error.message());
  if (const DatabaseErrorDetail* detail = error.detail()) {
    const std::pair<std::string_view, const std::string&> fields[] = {
        {"violation", detail->violation},
        {"table", detail->table},
        {"constraint", detail->constraint},
        {"sqliteCode", detail->sqliteCode},
    };
    for (const auto& [name, field] : fields) {
      if (field.empty()) continue;
      bytes_ += ',';
      text(name);
      bytes_ += ':';
      text(field);
    }
    if (!detail->columns.empty()) {
      bytes_ += R"(,"columns":)";
      list(detail->columns);
    }
    const std::pair<std::string_view, std::int64_t> numbers[] = {
        {"extendedCode", detail->extendedCode},
        {"waitsFor", detail->waitsFor},
        {"step", detail->step},
    };
    for (const auto& [name, field] : numbers) {
      if (field == 0) continue;
      bytes_ += ',';
      text(name);
      bytes_ += ':';
      number(field);
    }
  }
  bytes_ += "}}";
}

void JsonAnswer::number(std::int64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  bytes_.append(digits.data(), end);
}

void JsonAnswer::integer(std::int64_t integer) {
  if (integer >= -kSafeIntegerMax && integer <= kSafeIntegerMax) {
    number(integer);
    return;
  }
  bytes_ += R"({"$int":")";
  number(integer);
  bytes_ += R"("})";
}

void JsonAnswer::real(double real) {
  if (std::isinf(real)) {
    bytes_ += real > 0 ? R"({"$real":"Infinity"})" : R"({"$real":"-Infinity"})";
    return;
  }
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), real).ptr;
  const std::string_view shortest(digits.data(), static_cast<std::size_t>(end - digits.data()));
  bytes_ += shortest;
  if (shortest.find_first_of(".e") == std::string_view::npos) bytes_ += ".0";
}

void JsonAnswer::tagged(std::string_view tag, std::string_view base64Of) {
  checkSize(base64Of.size() / 3 * 4);
  bytes_ += "{\"";
  bytes_ += tag;
  bytes_ += "\":\"";
  appendBase64(bytes_, base64Of);
  bytes_ += "\"}";
}

// Of a message or a name: what is not UTF-8 becomes question marks.
void JsonAnswer::text(std::string_view text) {
  if (tryAppendJsonString(bytes_, text)) return;
  std::string readable(text);
  for (char& byte : readable) {
    if (static_cast<unsigned char>(byte) >= 0x80) byte = '?';
  }
  tryAppendJsonString(bytes_, readable);
}

void JsonAnswer::list(const std::vector<std::string>& texts) {
  bytes_ += '[';
  for (const std::string& each : texts) {
    if (&each != &texts.front()) bytes_ += ',';
    text(each);
  }
  bytes_ += ']';
}

void JsonAnswer::checkSize(std::uint64_t more) const {
  if (bytes_.size() + more > resultBytesMax_) throw answerTooLong(resultBytesMax_, method_);
}

}  // namespace schemascript
