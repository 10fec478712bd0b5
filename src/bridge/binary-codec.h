// The binary form of requests and answers. Little endian, nothing aligned, every length in bytes;
// docs/protocol.md has it field by field, test/golden/ has examples.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "bridge/query.h"
#include "bridge/text.h"
#include "database/statement.h"

namespace schemascript {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

// The first byte of every binary message.
constexpr char kBinaryForm = 1;

// The byte before a value.
enum class Tag : std::uint8_t {
  Null,
  Integer,    // 8 bytes.
  Real,       // 8 bytes.
  Text,       // Length, UTF-8.
  Blob,       // Length, bytes.
  BrokenText  // Length, bytes. In answers only: what is stored as TEXT and is not UTF-8.
};

// Decodes a request that begins with kBinaryForm into an empty query; see decodeQuery().
void decodeBinary(std::string_view request, const Limits& limits, Query& query);

// The binary half of an AnswerWriter, where its functions are described.
class BinaryAnswer {
 public:
  explicit BinaryAnswer(std::uint64_t resultBytesMax) noexcept;

  void clear() noexcept;
  std::string_view bytes() const noexcept { return {memory_.get(), size_}; }

  void openBatch(std::uint32_t count);
  void closeBatch();
  void openRows(Method method);
  void openRow() noexcept { values_ = 0; }
  void value(const ValueView& value);
  void closeRow();
  void closeRows(const Changes& changes, std::optional<CursorHandle> cursor);
  void transaction(TransactionHandle handle);
  void nothing();

 private:
  enum class Kind : std::uint8_t { Nothing, Transaction, Rows, Batch };

  struct Free {
    void operator()(char* memory) const noexcept { std::free(memory); }
  };

  // Where the next `count` bytes go. They count as written.
  char* take(std::size_t count) {
    if (count > capacity_ - size_) grow(count);
    char* const place = memory_.get() + size_;
    size_ += count;
    return place;
  }
  void put(Tag tag, const void* eightBytes) {
    char* const place = take(9);
    *place = static_cast<char>(tag);
    std::memcpy(place + 1, eightBytes, 8);
  }
  void put(Tag tag, std::string_view bytes) {
    char* const place = take(5 + bytes.size());
    const auto length = static_cast<std::uint32_t>(bytes.size());
    *place = static_cast<char>(tag);
    std::memcpy(place + 1, &length, 4);
    if (length != 0) std::memcpy(place + 5, bytes.data(), length);
  }
  void header(Kind kind);
  void word(std::uint32_t number) { std::memcpy(take(4), &number, 4); }
  void grow(std::size_t count);

  // Neither a vector nor a string: they would fill with zeros what is overwritten at once.
  std::unique_ptr<char, Free> memory_;
  std::size_t size_ = 0;
  // Never more than bytesMax_: so the limit is looked at where memory grows, and nowhere else.
  std::size_t capacity_ = 0;
  const std::size_t bytesMax_;

  bool isBatch_ = false;
  std::uint32_t resultsLeft_ = 0;
  Method method_ = Method::Run;
  std::size_t resultStart_ = 0;
  std::uint32_t columns_ = 0;
  std::uint32_t rows_ = 0;
  std::uint32_t values_ = 0;  // Of the present row.
};

// Called for every value of every row: in the header, so that it becomes part of that loop.
inline void BinaryAnswer::value(const ValueView& value) {
  ++values_;
  switch (value.kind) {
    case ValueKind::Null:
      *take(1) = static_cast<char>(Tag::Null);
      return;
    case ValueKind::Integer:
      put(Tag::Integer, &value.integer);
      return;
    case ValueKind::Real:
      put(Tag::Real, &value.real);
      return;
    case ValueKind::Text:
      put(isUtf8(value.bytes) ? Tag::Text : Tag::BrokenText, value.bytes);
      return;
    case ValueKind::Blob:
      put(Tag::Blob, value.bytes);
      return;
  }
}

}  // namespace schemascript
