// UTF-8 and the strings of JSON, at the speed that large texts need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace schemascript {

// The number of leading bytes that are ASCII and stand for themselves inside of a JSON string.
std::size_t plainLength(std::string_view text) noexcept;

// The length of the UTF-8 character that `text` begins with: 1 to 4, or 0 when there is none (cut
// short, overlong, a surrogate, beyond U+10FFFF).
std::size_t characterLength(std::string_view text) noexcept;

// The number of leading bytes that are whole UTF-8 characters.
std::size_t utf8PrefixLength(std::string_view text) noexcept;

// Whether all of it is UTF-8. In the header because most texts are short, and this is asked for
// each of them.
inline bool isUtf8(std::string_view text) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t seen = 0;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t eight;
    std::memcpy(&eight, at, 8);
    seen |= eight;
  }
  for (; left > 0; ++at, --left) seen |= static_cast<unsigned char>(*at);
  return (seen & kHighBits) == 0 || utf8PrefixLength(text) == text.size();
}

// Appends the UTF-8 form of a code point that is not a surrogate.
void appendCharacter(std::string& out, char32_t codePoint);

// Appends `text` as a JSON string with its quotes. False when it is not UTF-8; `out` is then as
// before.
bool tryAppendJsonString(std::string& out, std::string_view text);

}  // namespace schemascript
