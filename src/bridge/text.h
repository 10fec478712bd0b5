// UTF-8 and the strings of JSON, at the speed that large texts need.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace schemascript {

// The number of leading bytes that are ASCII and stand for themselves inside of a JSON string.
std::size_t plainLength(std::string_view text) noexcept;

// The length of the UTF-8 character that `text` begins with: 1 to 4, or 0 when there is none (cut
// short, overlong, a surrogate, beyond U+10FFFF).
std::size_t characterLength(std::string_view text) noexcept;

// Appends the UTF-8 form of a code point that is not a surrogate.
void appendCharacter(std::string& out, char32_t codePoint);

// Appends `text` as a JSON string with its quotes. False when it is not UTF-8; `out` is then as
// before.
bool tryAppendJsonString(std::string& out, std::string_view text);

}  // namespace schemascript
