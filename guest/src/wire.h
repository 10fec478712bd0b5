// The binary form of requests and answers (docs/protocol.md): a request is written from JavaScript
// values, an answer is read while it comes from the host. Little endian, as WebAssembly is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "js.h"

namespace schemascript::guest {

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

enum class Tag : std::uint8_t { Null, Integer, Real, Text, Blob, OddText };

// The integers that a double holds exactly: up to this, and down to minus this.
inline constexpr std::int64_t kSafeIntegerMax = (std::int64_t{1} << 53) - 1;

// A request under construction. Small ones need no allocation; larger ones are counted by the
// engine's memory limit. What answers bool is false when a JavaScript exception is pending.
class RequestWriter {
 public:
  RequestWriter(JSContext* context, JSValueConst bytesClass) noexcept
      : context_(context), bytesClass_(bytesClass) {}
  RequestWriter(const RequestWriter&) = delete;
  RequestWriter& operator=(const RequestWriter&) = delete;
  ~RequestWriter();

  [[nodiscard]] bool header(Method method, std::uint8_t behavior, std::uint32_t transaction,
                            std::uint32_t cursor);
  [[nodiscard]] bool number(std::uint32_t number) { return append(&number, sizeof number); }
  // `params`: an array of what SQLite has values for. At one that it has not, refusal() says which;
  // there is no exception then.
  [[nodiscard]] bool statement(std::string_view sql, JSValueConst params);

  std::string_view bytes() const noexcept { return {data_, size_}; }
  // Why a parameter was refused; null when it was not that.
  const char* refusal() const noexcept { return refusal_[0] == 0 ? nullptr : refusal_; }

 private:
  bool append(const void* bytes, std::size_t size);
  bool tag(Tag tag) { return append(&tag, 1); }
  bool sized(Tag kind, std::string_view bytes);
  bool value(JSValueConst value, std::uint32_t index);
  bool integer(std::int64_t integer);
  bool real(double real);
  bool bigint(JSValueConst value, std::uint32_t index);
  bool object(JSValueConst value, std::uint32_t index);
  bool refuse(std::uint32_t index, const char* what);

  JSContext* const context_;
  const JSValueConst bytesClass_;  // Uint8Array
  char local_[1024];
  char* data_ = local_;
  std::size_t size_ = 0;
  std::size_t capacity_ = sizeof local_;
  char refusal_[128] = "";
};

// The answer that waits on the host, from its first byte to its last. There is one at a time: the
// next request drops what was not read, unless detach() has brought it here before.
// An answer that ends too early, which only a broken host sends, is an exception.
class AnswerReader {
 public:
  // `size` is that of the whole answer.
  AnswerReader(JSContext* context, std::uint32_t size) noexcept
      : context_(context), onHost_(size) {}
  AnswerReader(const AnswerReader&) = delete;
  AnswerReader& operator=(const AnswerReader&) = delete;
  ~AnswerReader();

  // Bytes that are not read yet.
  std::size_t left() const noexcept { return (end_ - next_) + onHost_; }
  // What the next byte will be; 0 at the end.
  std::uint8_t peek();

  // False when an exception is pending.
  template <typename Number>
  [[nodiscard]] bool read(Number& number) {
    if (static_cast<std::size_t>(end_ - next_) < sizeof number && !refill(sizeof number)) {
      return false;
    }
    __builtin_memcpy(&number, next_, sizeof number);
    next_ += sizeof number;
    return true;
  }
  // Straight to where they belong, without a stop in the buffer.
  [[nodiscard]] bool readTo(void* destination, std::size_t size);
  // Valid until the next call. Null when an exception is pending, and when the bytes are more than
  // the buffer holds: `fits` tells.
  static bool fits(std::size_t size) noexcept;
  [[nodiscard]] const char* view(std::size_t size);

  // Brings what is left on the host into this memory, because somebody is about to send another
  // request.
  [[nodiscard]] bool detach();

  // An exception about an answer that is not as docs/protocol.md has it.
  bool failMalformed();

 private:
  bool refill(std::size_t wanted);

  JSContext* const context_;
  std::size_t onHost_;          // Bytes that the host still has.
  char* own_ = nullptr;         // After detach().
  const char* next_ = nullptr;  // What was fetched and not read: in the shared buffer, or in own_.
  const char* end_ = nullptr;
};

}  // namespace schemascript::guest
