#include "text.h"

#include <cstdint>

namespace schemascript::guest {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Step {
  std::size_t size;  // Bytes to go on by: of one character, or of one malformed subpart.
  bool valid;
};

// Reads one character at `at`, which is inside of `bytes`. Ranges: table 3-7 of the Unicode
// Standard.
Step step(std::string_view bytes, std::size_t at) noexcept {
  const auto byteAt = [bytes](std::size_t index) noexcept {
    return index < bytes.size() ? static_cast<std::uint8_t>(bytes[index]) : std::uint8_t{0};
  };
  const std::uint8_t lead = byteAt(at);
  if (lead < 0x80) return {1, true};
  std::size_t more = 0;
  std::uint8_t lowest = 0x80;
  std::uint8_t highest = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    more = 1;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    more = 2;
    if (lead == 0xE0) lowest = 0xA0;
    if (lead == 0xED) highest = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    more = 3;
    if (lead == 0xF0) lowest = 0x90;
    if (lead == 0xF4) highest = 0x8F;
  } else {
    return {1, false};
  }
  for (std::size_t index = 1; index <= more; ++index) {
    const std::uint8_t next = byteAt(at + index);
    if (next < lowest || next > highest) return {index, false};
    lowest = 0x80;
    highest = 0xBF;
  }
  return {more + 1, true};
}

}  // namespace

bool isUtf8(std::string_view bytes) noexcept {
  for (std::size_t at = 0; at < bytes.size();) {
    const Step next = step(bytes, at);
    if (!next.valid) return false;
    at += next.size;
  }
  return true;
}

std::string toValidUtf8(std::string_view bytes) {
  std::string valid;
  valid.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const Step next = step(bytes, at);
    valid += next.valid ? bytes.substr(at, next.size) : kReplacement;
    at += next.size;
  }
  return valid;
}

std::string quoteJson(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string json = "\"";
  for (const char letter : toValidUtf8(text)) {
    const auto code = static_cast<std::uint8_t>(letter);
    if (code < 0x20) {
      json += "\\u00";
      json += kDigits[code >> 4];
      json += kDigits[code & 15];
      continue;
    }
    if (letter == '"' || letter == '\\') json += '\\';
    json += letter;
  }
  return json + '"';
}

}  // namespace schemascript::guest
