// The chunked transfer coding (RFC 9112, section 7.1), byte by byte, strictly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace schemascript {

// Extensions and trailers are read and forgotten.
class ChunkDecoder {
 public:
  enum class State : std::uint8_t { More, Complete, Malformed };

  // Extensions of all chunks and trailers together may have so many bytes.
  explicit ChunkDecoder(std::size_t extraBytesMax = 16u << 10) : extraBytesLeft_(extraBytesMax) {}

  // Takes bytes from the front of `in` and appends what they hold to `out`, until `out` has
  // `outBytesMax` bytes, or `in` is empty, or the body is complete.
  State decode(std::string_view& in, std::string& out, std::size_t outBytesMax);

 private:
  enum class Step : std::uint8_t {
    FirstDigit,
    Digits,
    Extension,
    SizeEnd,
    Data,
    DataReturn,
    DataEnd,
    TrailerStart,
    Trailer,
    TrailerLineEnd,
    LastEnd,
    Complete,
    Malformed,
  };

  Step next(char byte) noexcept;
  Step digit(char byte) noexcept;
  Step extra(char byte, Step same, Step atReturn) noexcept;

  Step step_ = Step::FirstDigit;
  std::uint64_t size_ = 0;
  int digits_ = 0;
  std::size_t extraBytesLeft_;
};

}  // namespace schemascript
