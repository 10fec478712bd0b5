// Tokens of HTTP (RFC 9110, 5.6.2): methods, and names of header fields; and what a field's value
// may hold (5.5). Read by the front end, and by those who check what guests want to send.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace schemascript {

inline constexpr std::array<bool, 256> kHttpTokenBytes = [] {
  std::array<bool, 256> bytes{};
  for (unsigned c = '0'; c <= '9'; ++c) bytes[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) bytes[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) bytes[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    bytes[static_cast<unsigned char>(c)] = true;
  return bytes;
}();

constexpr bool isHttpTokenByte(char c) noexcept {
  return kHttpTokenBytes[static_cast<unsigned char>(c)];
}

constexpr bool isHttpToken(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, isHttpTokenByte);
}

// No control character but the tab. Fetch's Headers refuse fewer: NUL, CR and LF.
constexpr bool isHttpFieldValue(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return c == '\t' || (code >= 0x20 && code != 0x7f);
  });
}

}  // namespace schemascript
