// UTF-8 and JSON strings, eight bytes at a time where they are plain.
#include "bridge/text.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace schemascript {
namespace {

static_assert(std::endian::native == std::endian::little, "the first byte must be the lowest");

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

// Has the high bit of each byte that is zero; above the lowest such byte it may have others, too.
constexpr std::uint64_t zeroBytes(std::uint64_t eight) {
  return (eight - kOnes) & ~eight & kHighBits;
}

constexpr std::uint64_t specialBytes(std::uint64_t eight) {
  const std::uint64_t control = (eight - kOnes * 0x20) & ~eight & kHighBits;
  return (eight & kHighBits) | control | zeroBytes(eight ^ kOnes * '"') |
         zeroBytes(eight ^ kOnes * '\\');
}

unsigned byteAt(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool isPlain(unsigned byte) { return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\'; }

void appendEscape(std::string& out, unsigned byte) {
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += "01"[byte >> 4];
      out += "0123456789abcdef"[byte & 15];
  }
}

}  // namespace

std::size_t plainLength(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, text.data() + at, 8);
    if (const std::uint64_t special = specialBytes(eight); special != 0) {
      return at + static_cast<std::size_t>(std::countr_zero(special)) / 8;
    }
  }
  while (at < text.size() && isPlain(byteAt(text, at))) ++at;
  return at;
}

std::size_t characterLength(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const unsigned first = byteAt(text, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xc2   ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byteAt(text, i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byteAt(text, 1);
  if (first == 0xe0 && second < 0xa0) return 0;   // Overlong.
  if (first == 0xed && second >= 0xa0) return 0;  // A surrogate.
  if (first == 0xf0 && second < 0x90) return 0;   // Overlong.
  if (first == 0xf4 && second >= 0x90) return 0;  // Beyond U+10FFFF.
  return length;
}

std::size_t utf8PrefixLength(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight;
    if (at + 8 <= text.size()) {
      std::memcpy(&eight, text.data() + at, 8);
      if (const std::uint64_t high = eight & kHighBits; high == 0) {
        at += 8;
        continue;
      } else {
        at += static_cast<std::size_t>(std::countr_zero(high)) / 8;
      }
    }
    // Characters beyond ASCII come in runs.
    do {
      const std::size_t length = characterLength(text.substr(at));
      if (length == 0) return at;
      at += length;
    } while (at < text.size() && byteAt(text, at) >= 0x80);
  }
  return at;
}

void appendCharacter(std::string& out, char32_t codePoint) {
  const auto six = [codePoint](int shift) {
    return static_cast<char>(0x80 | (codePoint >> shift & 0x3f));
  };
  if (codePoint < 0x80) {
    out += static_cast<char>(codePoint);
  } else if (codePoint < 0x800) {
    out += static_cast<char>(0xc0 | codePoint >> 6);
    out += six(0);
  } else if (codePoint < 0x10000) {
    out += static_cast<char>(0xe0 | codePoint >> 12);
    out += six(6);
    out += six(0);
  } else {
    out += static_cast<char>(0xf0 | codePoint >> 18);
    out += six(12);
    out += six(6);
    out += six(0);
  }
}

bool tryAppendJsonString(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out += '"';
  while (!text.empty()) {
    std::size_t length = plainLength(text);
    // Characters beyond ASCII come in runs.
    while (length < text.size() && byteAt(text, length) >= 0x80) {
      const std::size_t character = characterLength(text.substr(length));
      if (character == 0) {
        out.resize(before);
        return false;
      }
      length += character;
    }
    out.append(text.substr(0, length));
    text.remove_prefix(length);
    if (text.empty() || isPlain(byteAt(text, 0))) continue;
    appendEscape(out, byteAt(text, 0));
    text.remove_prefix(1);
  }
  out += '"';
  return true;
}

}  // namespace schemascript
