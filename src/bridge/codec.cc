// A parser for the one kind of object that a request is, and the writer of answers. The parser does
// not recurse and does not copy what it can point to.
#include "bridge/codec.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "base/base64.h"
#include "base/units.h"
#include "bridge/text.h"

namespace schemascript {
namespace {

// The integers that JavaScript's numbers hold exactly.
constexpr std::int64_t kSafeIntegerMax = (std::int64_t{1} << 53) - 1;
// Memory that a large request or answer needed is not kept beyond this.
constexpr std::size_t kKeptBytesMax = 1u << 20;

constexpr std::array<std::pair<std::string_view, Method>, 8> kMethods{
    {{"all", Method::All},
     {"get", Method::Get},
     {"run", Method::Run},
     {"values", Method::Values},
     {"begin", Method::Begin},
     {"commit", Method::Commit},
     {"rollback", Method::Rollback},
     {"push", Method::Push}}};

constexpr std::array<std::pair<std::string_view, Behavior>, 3> kBehaviors{
    {{"deferred", Behavior::Deferred},
     {"immediate", Behavior::Immediate},
     {"exclusive", Behavior::Exclusive}}};

template <typename Value, std::size_t size>
std::optional<Value> tryFind(const std::array<std::pair<std::string_view, Value>, size>& names,
                             std::string_view name) {
  for (const auto& [candidate, value] : names) {
    if (candidate == name) return value;
  }
  return std::nullopt;
}

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
    expect('{');
    if (!tryTake('}')) {
      do {
        field();
      } while (tryTake(','));
      expect('}');
    }
    skipBlanks();
    if (at_ != text_.size()) fail("nothing but blanks after the object");
    checkFields();
  }

 private:
  enum Field : unsigned { kMethod = 1, kSql = 2, kParams = 4, kTransaction = 8, kBehavior = 16 };

  [[noreturn]] void fail(std::string_view expected) const {
    throw invalidRequest(
        str("the request is not as it must be: expected ", expected, " at byte ", at_));
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

  void field() {
    const std::string_view name = string("the name of a field");
    expect(':');
    if (name == "sql") {
      once(kSql, name);
      query_.sql = string("a string for \"sql\"");
    } else if (name == "params") {
      once(kParams, name);
      params();
    } else if (name == "method") {
      once(kMethod, name);
      method();
    } else if (name == "transaction") {
      once(kTransaction, name);
      transaction();
    } else if (name == "behavior") {
      once(kBehavior, name);
      behavior();
    } else {
      throw invalidRequest(str("the request has an unknown field \"", shortened(name), "\""));
    }
  }

  void once(Field which, std::string_view name) {
    if ((seen_ & which) != 0)
      throw invalidRequest(str("the request has two fields \"", name, "\""));
    seen_ |= which;
  }

  void method() {
    const std::string_view name = string("a string for \"method\"");
    const auto method = tryFind(kMethods, name);
    if (!method) {
      throw invalidRequest(str("there is no method \"", shortened(name),
                               "\"; there are run, all, values, get, begin, commit, rollback and "
                               "push"));
    }
    query_.method = *method;
  }

  void behavior() {
    const std::string_view name = string("a string for \"behavior\"");
    const auto behavior = tryFind(kBehaviors, name);
    if (!behavior) {
      throw invalidRequest(str("there is no behavior \"", shortened(name),
                               "\"; there are deferred, immediate and exclusive"));
    }
    query_.behavior = *behavior;
  }

  void transaction() {
    const ValueView handle = isDigit(peek()) ? number() : ValueView::ofNull();
    if (handle.kind != ValueKind::Integer ||
        handle.integer > std::numeric_limits<std::uint32_t>::max()) {
      throw invalidRequest("\"transaction\" must be a number that begin has answered");
    }
    query_.transaction = TransactionHandle{static_cast<std::uint32_t>(handle.integer)};
  }

  void params() {
    if (peek() != '[') fail("an array for \"params\"");
    expect('[');
    if (tryTake(']')) return;
    do {
      if (query_.params.size() == limits_.parametersMax) {
        throw limitExceeded(
            str("the request has more parameters than parametersMax, ", limits_.parametersMax));
      }
      query_.params.push_back(param());
    } while (tryTake(','));
    expect(']');
  }

  ValueView param() {
    const char first = peek();
    if (first == '"') return ValueView::ofText(string("a string"));
    if (first == '-' || isDigit(first)) return number();
    if (first == '{') return tagged();
    if (tryWord("null")) return ValueView::ofNull();
    if (tryWord("true")) return ValueView::ofInteger(1);
    if (tryWord("false")) return ValueView::ofInteger(0);
    if (first == '[') failParam("is an array; SQLite has no such value");
    fail("a value");
  }

  bool tryWord(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  [[noreturn]] void failParam(std::string_view what) const {
    throw invalidRequest(str("params[", query_.params.size(), "] ", what));
  }

  // {"$int": "..."}, {"$real": "..."} or {"$blob": "..."}
  ValueView tagged() {
    expect('{');
    if (peek() != '"') failParam("is an object without \"$int\", \"$real\" or \"$blob\"");
    const std::string_view tag = string("a key");
    expect(':');
    if (tag != "$int" && tag != "$real" && tag != "$blob") {
      failParam("is an object without \"$int\", \"$real\" or \"$blob\"");
    }
    if (peek() != '"') failParam(str("has no string for \"", tag, "\""));
    const std::string_view text = string("a string");
    if (peek() == ',') failParam("is an object with a second key");
    expect('}');
    if (tag == "$int") return taggedInteger(text);
    if (tag == "$real") return taggedReal(text);
    return taggedBlob(text);
  }

  ValueView taggedInteger(std::string_view text) const {
    std::int64_t integer = 0;
    const char* end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, integer);
    if (failure != std::errc{} || rest != end) {
      failParam("has an \"$int\" that is not an integer of 64 bits");
    }
    return ValueView::ofInteger(integer);
  }

  ValueView taggedReal(std::string_view text) const {
    if (text == "Infinity") return ValueView::ofReal(std::numeric_limits<double>::infinity());
    if (text == "-Infinity") return ValueView::ofReal(-std::numeric_limits<double>::infinity());
    if (text == "-0") return ValueView::ofReal(-0.0);
    if (text == "NaN") failParam("is NaN, which SQLite would store as NULL");
    failParam("has a \"$real\" that is not \"Infinity\", \"-Infinity\" or \"-0\"");
  }

  ValueView taggedBlob(std::string_view text) {
    const auto size = base64DecodedSize(text);
    if (!size) failParam("has a \"$blob\" that is not base64");
    reserveUnescaped();
    const std::size_t start = query_.unescaped.size();
    query_.unescaped.resize(start + *size);
    const std::span<char> bytes(query_.unescaped.data() + start, *size);
    if (!decodeBase64(text, bytes)) failParam("has a \"$blob\" that is not base64");
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
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (letter == 'u') {
      ++at_;
      appendCharacter(out, codePoint());
      return;
    }
    const auto which = kLetters.find(letter);
    if (letter == '\0' || which == std::string_view::npos) fail("an escape that JSON has");
    out += kMeanings[which];
    ++at_;
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

  void checkFields() const {
    if ((seen_ & kMethod) == 0) throw invalidRequest("the request has no \"method\"");
    const Method method = query_.method;
    const bool hasSql = (seen_ & kSql) != 0;
    const bool endsTransaction = method == Method::Commit || method == Method::Rollback;
    if (method == Method::Begin || endsTransaction) {
      if (hasSql || !query_.params.empty()) {
        throw invalidRequest("begin, commit and rollback take no \"sql\" and no \"params\"");
      }
      if (endsTransaction && !query_.transaction) {
        throw invalidRequest("commit and rollback need a \"transaction\"");
      }
    } else if (!hasSql) {
      throw invalidRequest("the request has no \"sql\"");
    }
    if (method == Method::Push && (!query_.params.empty() || query_.transaction)) {
      throw invalidRequest("push takes no \"params\" and no \"transaction\"");
    }
    if ((seen_ & kBehavior) != 0 && method != Method::Begin) {
      throw invalidRequest("only begin takes a \"behavior\"");
    }
  }

  const std::string_view text_;
  const Limits& limits_;
  Query& query_;
  std::size_t at_ = 0;
  unsigned seen_ = 0;
};

}  // namespace

void decodeQuery(std::span<const std::byte> request, const Limits& limits, Query& query) {
  query.method = Method::Run;
  query.sql = {};
  query.params.clear();
  query.transaction.reset();
  query.behavior = Behavior::Immediate;
  query.unescaped.clear();
  if (query.unescaped.capacity() > kKeptBytesMax) query.unescaped.shrink_to_fit();
  if (request.size() > limits.requestBytesMax) {
    throw limitExceeded(str("the request has ", request.size(), " bytes; requestBytesMax is ",
                            formatSize(limits.requestBytesMax)));
  }
  const std::string_view text(reinterpret_cast<const char*>(request.data()), request.size());
  if (!text.starts_with('{')) throw invalidRequest("a request begins with '{'");
  Decoder(text, limits, query).decode();
}

void AnswerWriter::clear() {
  bytes_.clear();
  if (bytes_.capacity() > kKeptBytesMax) bytes_.shrink_to_fit();
}

void AnswerWriter::openRows(Method method) {
  method_ = method;
  firstRow_ = true;
  bytes_ += method == Method::Get ? R"({"rows":)" : R"({"rows":[)";
}

void AnswerWriter::openRow() {
  if (!firstRow_) bytes_ += ',';
  firstRow_ = false;
  firstValue_ = true;
  bytes_ += '[';
}

void AnswerWriter::closeRow() {
  bytes_ += ']';
  checkSize(0);
}

void AnswerWriter::closeRows(const Changes& changes) {
  if (method_ != Method::Get) {
    bytes_ += ']';
  } else if (firstRow_) {
    bytes_ += "null";
  }
  bytes_ += R"(,"changes":)";
  integer(changes.rows);
  bytes_ += R"(,"lastInsertRowid":)";
  integer(changes.lastInsertRowid);
  bytes_ += '}';
}

void AnswerWriter::value(const ValueView& value) {
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

void AnswerWriter::transaction(TransactionHandle handle) {
  bytes_ += R"({"transaction":)";
  number(static_cast<std::uint32_t>(handle));
  bytes_ += '}';
}

void AnswerWriter::nothing() { bytes_ += "{}"; }

void AnswerWriter::pushed(const PushResult& result) {
  bytes_ += R"({"created":)";
  list(result.created);
  bytes_ += R"(,"unchanged":)";
  list(result.unchanged);
  bytes_ += '}';
}

void AnswerWriter::error(const Error& error) {
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
    bytes_ += R"(,"extendedCode":)";
    number(detail->extendedCode);
  }
  bytes_ += "}}";
}

void AnswerWriter::number(std::int64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  bytes_.append(digits.data(), end);
}

void AnswerWriter::integer(std::int64_t integer) {
  if (integer >= -kSafeIntegerMax && integer <= kSafeIntegerMax) {
    number(integer);
    return;
  }
  bytes_ += R"({"$int":")";
  number(integer);
  bytes_ += R"("})";
}

void AnswerWriter::real(double real) {
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

void AnswerWriter::tagged(std::string_view tag, std::string_view base64Of) {
  checkSize(base64Of.size() / 3 * 4);
  bytes_ += "{\"";
  bytes_ += tag;
  bytes_ += "\":\"";
  appendBase64(bytes_, base64Of);
  bytes_ += "\"}";
}

// Of a message or a name: what is not UTF-8 becomes question marks.
void AnswerWriter::text(std::string_view text) {
  if (tryAppendJsonString(bytes_, text)) return;
  std::string readable(text);
  for (char& byte : readable) {
    if (static_cast<unsigned char>(byte) >= 0x80) byte = '?';
  }
  tryAppendJsonString(bytes_, readable);
}

void AnswerWriter::list(const std::vector<std::string>& texts) {
  bytes_ += '[';
  for (const std::string& each : texts) {
    if (&each != &texts.front()) bytes_ += ',';
    text(each);
  }
  bytes_ += ']';
}

void AnswerWriter::checkSize(std::uint64_t more) const {
  if (bytes_.size() + more <= resultBytesMax_) return;
  throw limitExceeded(str("the answer is longer than resultBytesMax (", formatSize(resultBytesMax_),
                          "); ask for fewer rows or columns at a time"));
}

}  // namespace schemascript
