// Base64 by table, four characters at a time.
#include "base/base64.h"

#include <array>
#include <cstdint>

namespace schemascript {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// Has a bit that no six-bit value has, so that one test covers a whole group.
constexpr std::uint32_t kInvalid = 0x80;

constexpr std::array<std::uint8_t, 256> decodingTable() {
  std::array<std::uint8_t, 256> table{};
  table.fill(kInvalid);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}
constexpr std::array<std::uint8_t, 256> kDecoding = decodingTable();

std::uint32_t byteAt(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned char>(text[at]);
}
std::uint32_t sixBits(std::string_view text, std::size_t at) noexcept {
  return kDecoding[byteAt(text, at)];
}

}  // namespace

void appendBase64(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) {
    const std::uint32_t group =
        byteAt(bytes, at) << 16 | byteAt(bytes, at + 1) << 8 | byteAt(bytes, at + 2);
    *to++ = kAlphabet[group >> 18];
    *to++ = kAlphabet[group >> 12 & 63];
    *to++ = kAlphabet[group >> 6 & 63];
    *to++ = kAlphabet[group & 63];
  }
  const std::size_t left = bytes.size() - at;
  if (left == 0) return;
  const std::uint32_t group =
      byteAt(bytes, at) << 16 | (left == 2 ? byteAt(bytes, at + 1) << 8 : 0);
  *to++ = kAlphabet[group >> 18];
  *to++ = kAlphabet[group >> 12 & 63];
  *to++ = left == 2 ? kAlphabet[group >> 6 & 63] : '=';
  *to++ = '=';
}

std::optional<std::size_t> base64DecodedSize(std::string_view text) noexcept {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return text.size() / 4 * 3 - padding;
}

bool decodeBase64(std::string_view text, std::span<char> out) noexcept {
  char* to = out.data();
  const std::size_t whole = out.size() / 3 * 4;
  // Collected instead of tested: a wrong character is rare, a branch for each group is not.
  std::uint32_t seen = 0;
  for (std::size_t at = 0; at < whole; at += 4) {
    const std::uint32_t a = sixBits(text, at), b = sixBits(text, at + 1);
    const std::uint32_t c = sixBits(text, at + 2), d = sixBits(text, at + 3);
    seen |= a | b | c | d;
    const std::uint32_t group = a << 18 | b << 12 | c << 6 | d;
    *to++ = static_cast<char>(group >> 16);
    *to++ = static_cast<char>(group >> 8);
    *to++ = static_cast<char>(group);
  }
  const std::size_t left = out.size() % 3;
  if (left != 0) {
    const std::uint32_t a = sixBits(text, whole), b = sixBits(text, whole + 1);
    const std::uint32_t c = left == 2 ? sixBits(text, whole + 2) : 0;
    seen |= a | b | c;
    const std::uint32_t unused = left == 2 ? c & 3 : b & 15;
    if (unused != 0) return false;
    *to++ = static_cast<char>(a << 2 | b >> 4);
    if (left == 2) *to++ = static_cast<char>(b << 4 | c >> 2);
  }
  return (seen & kInvalid) == 0;
}

}  // namespace schemascript
