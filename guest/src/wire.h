// The binary form of the wire between guest and host (docs/protocol.md), seen from the guest:
// writes a request, and reads the answer in a stream. Knows no shapes of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "js.h"

namespace schemascript::guest {

inline constexpr std::uint8_t kBinaryForm = 1;

// The numbers are the wire's, as are those of Tag and Kind.
enum class Method : std::uint8_t {
  Run,
  All,
  Values,
  Get,
  Begin,
  Commit,
  Rollback,
  Push,
  Batch,
  Iterate,
  Fetch,
  Close,
};
enum class Tag : std::uint8_t { Null, Integer, Real, Text, Blob, MalformedText };
enum class Kind : std::uint8_t { Nothing, Transaction, Rows, Batch };
enum class Behavior : std::uint8_t { Immediate, Deferred, Exclusive };

// Memory that one request after the other is written to. A larger request takes its own from the
// engine's allocator.
struct RequestMemory {
  static constexpr std::size_t kBytes = 16384;
  bool isLent = false;
  std::uint8_t bytes[kBytes];
};

// Writes one request. JavaScript may run, and query, while it is written. A failure is remembered:
// what follows does nothing, and the exception stays pending.
class RequestWriter {
 public:
  // `memory` must live longer. Where another writer has it, this one makes do without.
  RequestWriter(JSContext* context, RequestMemory& memory) noexcept;
  RequestWriter(const RequestWriter&) = delete;
  RequestWriter& operator=(const RequestWriter&) = delete;
  ~RequestWriter();

  void head(Method method, Behavior behavior, std::uint32_t transaction, std::uint32_t cursor);
  void u8(std::uint8_t number) {
    if (std::uint8_t* const to = take(1)) *to = number;
  }
  void u32(std::uint32_t number) { plain(&number, sizeof number); }
  void bytes(const void* first, std::size_t size) {
    if (std::uint8_t* const to = take(size); to != nullptr && size != 0) {
      std::memcpy(to, first, size);
    }
  }
  // A value, with its tag.
  void null() { u8(static_cast<std::uint8_t>(Tag::Null)); }
  void integer(std::int64_t number) { tagged(Tag::Integer, &number, sizeof number); }
  void real(double number) { tagged(Tag::Real, &number, sizeof number); }
  // Text or blob.
  void sized(Tag tag, const void* first, std::size_t size);

  // What went wrong is a pending exception, from elsewhere than this writer.
  void fail() noexcept { failed_ = true; }
  bool failed() const noexcept { return failed_; }
  // Valid until the next call of anything else.
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(first_), size_}; }

 private:
  void plain(const void* first, std::size_t size) { bytes(first, size); }
  void tagged(Tag tag, const void* first, std::size_t size) {
    if (std::uint8_t* const to = take(1 + size)) {
      *to = static_cast<std::uint8_t>(tag);
      std::memcpy(to + 1, first, size);
    }
  }
  // Room for `more` bytes; null after a failure.
  std::uint8_t* take(std::size_t more) {
    if (failed_ || (more > capacity_ - size_ && !grow(more))) return nullptr;
    std::uint8_t* const room = first_ + size_;
    size_ += more;
    return room;
  }
  bool grow(std::size_t more);

  JSContext* const context_;
  RequestMemory* memory_;  // Null: somebody else has it.
  std::uint8_t* first_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  bool failed_ = false;
};

// Where an answer passes through on its way from the host. One byte more: what is in it can be
// ended with a NUL for the engine's parser.
struct AnswerMemory {
  static constexpr std::size_t kBytes = 16384;
  std::uint8_t bytes[kBytes + 1];
};

// Reads the waiting answer from its beginning to its end, a piece at a time. Trusts nothing in it.
// While one reads, no other may: before JavaScript runs, detach().
class AnswerReader {
 public:
  // `size`: what host_db_query said. `memory` must live longer.
  AnswerReader(JSContext* context, std::uint32_t size, AnswerMemory& memory) noexcept;
  AnswerReader(const AnswerReader&) = delete;
  AnswerReader& operator=(const AnswerReader&) = delete;
  ~AnswerReader() { js_free(context_, own_); }

  // Bytes that are still to be read.
  std::size_t left() const noexcept { return available() + waiting_; }
  // Whether the next `count` bytes can be read by the functions below; count <= kBytes. Where not,
  // the answer has ended before.
  bool has(std::size_t count) noexcept { return available() >= count || refill(count); }
  // has() must have said so.
  std::uint8_t u8() noexcept { return *at_++; }
  std::uint32_t u32() noexcept { return plain<std::uint32_t>(); }
  std::int64_t i64() noexcept { return plain<std::int64_t>(); }
  double f64() noexcept { return plain<double>(); }
  // The next byte, which stays where it is.
  std::uint8_t peek() const noexcept { return *at_; }
  // The next bytes where they lie; valid until the next call, and followed by one byte that may be
  // overwritten for as long.
  char* text(std::size_t size) noexcept {
    auto* const first = reinterpret_cast<char*>(at_);
    at_ += size;
    return first;
  }
  // Whether text(size) works. False: use copy().
  bool isWhole(std::size_t size) noexcept {
    return available() >= size || (size <= AnswerMemory::kBytes && refill(size));
  }
  // Copies the next bytes, directly from the host where they are still there. False: the answer has
  // ended before.
  bool copy(void* to, std::size_t size) noexcept;
  // Takes the rest of the answer from the host into memory of its own, so that JavaScript may run
  // and query. False with an exception pending.
  bool detach();

 private:
  std::size_t available() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  bool refill(std::size_t count) noexcept;
  std::size_t fetch(std::uint8_t* to, std::size_t sizeMax) noexcept;
  template <typename Number>
  Number plain() noexcept {
    Number number;
    std::memcpy(&number, at_, sizeof number);
    at_ += sizeof number;
    return number;
  }

  JSContext* const context_;
  AnswerMemory& memory_;
  std::uint8_t* own_ = nullptr;
  std::uint8_t* at_;
  std::uint8_t* end_;
  std::size_t waiting_;  // Bytes that the host still has.
};

}  // namespace schemascript::guest
