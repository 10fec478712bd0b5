#include "http/chunk-decoder.h"

#include <algorithm>

namespace schemascript {
namespace {

int hexOf(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkDecoder::State ChunkDecoder::decode(std::string_view& in, std::string& out,
                                         std::size_t outBytesMax) {
  while (!in.empty() && step_ != Step::Complete && step_ != Step::Malformed) {
    if (step_ != Step::Data) {
      step_ = next(in.front());
      in.remove_prefix(1);
      continue;
    }
    if (out.size() >= outBytesMax) return State::More;
    const auto size = static_cast<std::size_t>(
        std::min<std::uint64_t>({size_, in.size(), outBytesMax - out.size()}));
    out.append(in.substr(0, size));
    in.remove_prefix(size);
    size_ -= size;
    if (size_ == 0) step_ = Step::DataReturn;
  }
  if (step_ == Step::Malformed) return State::Malformed;
  return step_ == Step::Complete ? State::Complete : State::More;
}

ChunkDecoder::Step ChunkDecoder::next(char byte) noexcept {
  const auto only = [byte](char expected, Step then) {
    return byte == expected ? then : Step::Malformed;
  };
  switch (step_) {
    case Step::FirstDigit:
      size_ = 0;
      digits_ = 0;
      return hexOf(byte) < 0 ? Step::Malformed : digit(byte);
    case Step::Digits:
      return digit(byte);
    case Step::Extension:
      return extra(byte, Step::Extension, Step::SizeEnd);
    case Step::SizeEnd:
      return only('\n', size_ == 0 ? Step::TrailerStart : Step::Data);
    case Step::DataReturn:
      return only('\r', Step::DataEnd);
    case Step::DataEnd:
      return only('\n', Step::FirstDigit);
    case Step::TrailerStart:
      return byte == '\r' ? Step::LastEnd : extra(byte, Step::Trailer, Step::TrailerLineEnd);
    case Step::Trailer:
      return extra(byte, Step::Trailer, Step::TrailerLineEnd);
    case Step::TrailerLineEnd:
      return only('\n', Step::TrailerStart);
    case Step::LastEnd:
      return only('\n', Step::Complete);
    case Step::Data:
    case Step::Complete:
    case Step::Malformed:
      break;
  }
  return Step::Malformed;
}

ChunkDecoder::Step ChunkDecoder::digit(char byte) noexcept {
  const int value = hexOf(byte);
  if (value >= 0) {
    // Zeros in front count as well: they could go on for ever.
    if (++digits_ > 15) return Step::Malformed;
    size_ = size_ * 16 + static_cast<std::uint64_t>(value);
    return Step::Digits;
  }
  if (byte == '\r') return Step::SizeEnd;
  return byte == ';' ? Step::Extension : Step::Malformed;
}

// A byte that is read and forgotten. Control characters other than a tab are malformed.
ChunkDecoder::Step ChunkDecoder::extra(char byte, Step same, Step atReturn) noexcept {
  if (byte == '\r') return atReturn;
  const auto code = static_cast<unsigned char>(byte);
  if ((code < 0x20 && byte != '\t') || code == 0x7f || extraBytesLeft_ == 0) return Step::Malformed;
  --extraBytesLeft_;
  return same;
}

}  // namespace schemascript
