// Reads binary requests without copying from them, and writes binary answers into one piece of
// memory.
#include "bridge/binary-codec.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <string>

#include "base/error.h"
#include "bridge/codec-rules.h"

namespace schemascript {
namespace {

// What a step of a batch takes at least: its method, an empty text, no parameters.
constexpr std::size_t kStepBytesMin = 12;
// Begins with the form's byte and the kind; a payload begins at a multiple of four.
constexpr std::size_t kHeaderBytes = 4;
// Columns, rows, cursor, changes, last rowid.
constexpr std::size_t kResultBytes = 3 * 4 + 2 * 8;
// Memory that a large answer needed is not kept beyond this.
constexpr std::size_t kKeptBytesMax = 1u << 20;
constexpr std::size_t kFirstBytes = 4096;
// An answer without rows fits whatever the limit is.
constexpr std::size_t kAnswerBytesMin = 64;

class Decoder {
 public:
  Decoder(std::string_view bytes, const Limits& limits, Query& query)
      : bytes_(bytes), limits_(limits), query_(query) {}

  void decode() {
    take(1, "the form");
    query_.method = method();
    unsigned seen = kMethodField;
    if (behavior()) seen |= kBehaviorField;
    zeros(1);
    if (const std::uint32_t handle = word("a transaction")) {
      query_.transaction = TransactionHandle{handle};
    }
    if (const std::uint32_t handle = word("a cursor")) query_.cursor = CursorHandle{handle};
    if (query_.method == Method::Batch) {
      steps();
      seen |= kStepsField;
    } else if (hasSql(query_.method)) {
      statement(query_.method);
      seen |= kSqlField;
    }
    if (at_ != bytes_.size()) failExpected("nothing behind the message", at_);
    checkFields(query_, seen);
  }

 private:
  std::size_t left() const { return bytes_.size() - at_; }

  const char* take(std::size_t count, std::string_view what) {
    if (count > left()) failExpected(what, at_);
    const char* const place = bytes_.data() + at_;
    at_ += count;
    return place;
  }

  template <typename Number>
  Number number(std::string_view what) {
    Number number;
    std::memcpy(&number, take(sizeof number, what), sizeof number);
    return number;
  }
  std::uint8_t byte(std::string_view what) { return number<std::uint8_t>(what); }
  std::uint32_t word(std::string_view what) { return number<std::uint32_t>(what); }

  void zeros(std::size_t count) {
    for (; count > 0; --count) {
      if (byte("a zero byte") != 0) failExpected("a zero byte", at_ - 1);
    }
  }

  Method method() {
    const std::uint8_t number = byte("a method");
    if (number >= kMethodCount) {
      throw invalidRequest(str("there is no method ", int{number}, "; the last one is ",
                               kMethodCount - 1, ", ", kMethodNames[kMethodCount - 1]));
    }
    return Method{number};
  }

  // Whether there is one: zero says nothing.
  bool behavior() {
    constexpr Behavior kBehaviors[] = {Behavior::Immediate, Behavior::Deferred,
                                       Behavior::Exclusive};
    const std::uint8_t number = byte("a behavior");
    if (number >= std::size(kBehaviors)) {
      throw invalidRequest(str("there is no behavior ", int{number},
                               "; 0 is immediate, 1 deferred and 2 exclusive"));
    }
    query_.behavior = kBehaviors[number];
    return number != 0;
  }

  void steps() {
    const std::uint32_t count = word("the number of steps");
    // Memory is taken for steps that can be there, not for those that are only announced.
    if (count > left() / kStepBytesMin) failExpected(str(count, " steps"), at_);
    query_.steps.reserve(count);
    for (std::uint32_t step = 0; step < count; ++step) {
      const Method its = method();
      if (!isStepMethod(its)) failStepMethod(its, where());
      zeros(3);
      statement(its);
    }
  }

  void statement(Method its) {
    Step step{.method = its, .sql = utf8("an SQL text")};
    step.firstParam = static_cast<std::uint32_t>(query_.params.size());
    // A push ends here.
    if (its != Method::Push) step.paramCount = params();
    query_.steps.push_back(step);
  }

  std::uint32_t params() {
    const std::uint32_t count = word("the number of parameters");
    if (count == 0) return 0;
    checkCount(count);
    if (count > left()) failExpected(str(count, " parameters"), at_);
    const std::size_t first = query_.params.size();
    query_.params.resize(first + count);
    for (std::uint32_t index = 0; index < count; ++index) {
      param(index, query_.params[first + index]);
    }
    return count;
  }

  void checkCount(std::uint32_t count) const {
    const std::size_t before = query_.params.size();
    if (count <= limits_.parametersMax && before + count <= limits_.batchParametersMax) return;
    checkParamCount(count, before, limits_, where());
  }

  void param(std::uint32_t index, ValueView& value) {
    const std::uint8_t tag = byte("a value");
    switch (Tag{tag}) {
      case Tag::Null:
        return;
      case Tag::Integer:
        value = ValueView::ofInteger(number<std::int64_t>("an integer"));
        return;
      case Tag::Real:
        value = ValueView::ofReal(number<double>("a real"));
        if (std::isnan(value.real)) failParam(index, "is NaN, which SQLite would store as NULL");
        return;
      case Tag::Text:
        value = ValueView::ofText(utf8("a text"));
        return;
      case Tag::Blob:
        value = ValueView::ofBlob(sized("a blob"));
        return;
      case Tag::BrokenText:
        failParam(index, "is text that is not UTF-8; send it as a blob");
    }
    failParam(index, str("has the tag ", int{tag}, ", which no value has"));
  }

  std::string_view sized(std::string_view what) {
    const std::uint32_t length = word("a length");
    return {take(length, what), length};
  }

  std::string_view utf8(std::string_view what) {
    const std::string_view text = sized(what);
    if (!isUtf8(text)) failExpected("UTF-8", at_ - text.size() + utf8PrefixLength(text));
    return text;
  }

  std::string where() const {
    if (query_.method != Method::Batch) return "the request";
    return str("steps[", query_.steps.size(), "]");
  }

  [[noreturn]] void failParam(std::uint32_t index, std::string_view what) const {
    const std::string step = query_.method == Method::Batch ? where() + "." : "";
    throw invalidRequest(str(step, "params[", index, "] ", what));
  }

  const std::string_view bytes_;
  const Limits& limits_;
  Query& query_;
  std::size_t at_ = 0;
};

}  // namespace

void decodeBinary(std::string_view request, const Limits& limits, Query& query) {
  Decoder(request, limits, query).decode();
}

BinaryAnswer::BinaryAnswer(std::uint64_t resultBytesMax) noexcept
    : bytesMax_(std::max<std::size_t>(resultBytesMax, kAnswerBytesMin)) {}

void BinaryAnswer::clear() noexcept {
  size_ = 0;
  isBatch_ = false;
  resultsLeft_ = 0;
  if (capacity_ <= kKeptBytesMax) return;
  memory_.reset();
  capacity_ = 0;
}

void BinaryAnswer::header(Kind kind) {
  const char bytes[kHeaderBytes] = {kBinaryForm, static_cast<char>(kind), 0, 0};
  std::memcpy(take(kHeaderBytes), bytes, kHeaderBytes);
}

void BinaryAnswer::openBatch(std::uint32_t count) {
  header(Kind::Batch);
  word(count);
  isBatch_ = true;
  resultsLeft_ = count;
}

void BinaryAnswer::closeBatch() { SS_CHECK(resultsLeft_ == 0, resultsLeft_); }

void BinaryAnswer::openRows(Method method) {
  method_ = method;
  if (isBatch_) {
    SS_CHECK(resultsLeft_ != 0);
    --resultsLeft_;
  } else {
    header(Kind::Rows);
  }
  resultStart_ = size_;
  take(kResultBytes);  // closeRows() writes it.
  columns_ = 0;
  rows_ = 0;
}

void BinaryAnswer::closeRow() {
  if (rows_ == 0) columns_ = values_;
  SS_CHECK(values_ == columns_, values_, " values in a row of ", columns_);
  ++rows_;
}

void BinaryAnswer::closeRows(const Changes& changes, std::optional<CursorHandle> cursor) {
  char* const place = memory_.get() + resultStart_;
  const std::uint32_t words[] = {columns_, rows_, cursor ? static_cast<std::uint32_t>(*cursor) : 0};
  const std::int64_t numbers[] = {changes.rows, changes.lastInsertRowid};
  static_assert(sizeof words + sizeof numbers == kResultBytes);
  std::memcpy(place, words, sizeof words);
  std::memcpy(place + sizeof words, numbers, sizeof numbers);
}

void BinaryAnswer::transaction(TransactionHandle handle) {
  header(Kind::Transaction);
  word(static_cast<std::uint32_t>(handle));
}

void BinaryAnswer::nothing() { header(Kind::Nothing); }

void BinaryAnswer::grow(std::size_t count) {
  if (count > bytesMax_ - size_) throw answerTooLong(bytesMax_, method_);
  const std::size_t twice = std::max({kFirstBytes, 2 * capacity_, size_ + count});
  const std::size_t capacity = std::min(twice, bytesMax_);
  void* const moved = std::realloc(memory_.get(), capacity);
  if (moved == nullptr) throw std::bad_alloc();
  static_cast<void>(memory_.release());  // realloc() has freed it.
  memory_.reset(static_cast<char*>(moved));
  capacity_ = capacity;
}

}  // namespace schemascript
