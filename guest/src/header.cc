#include "header.h"

#include <algorithm>
#include <array>

namespace schemascript::guest {
namespace {

enum class NameLetter : unsigned char { None, Token, Capital };

constexpr std::array<NameLetter, 256> kNameLetters = [] {
  std::array<NameLetter, 256> letters{};
  for (char c = '0'; c <= '9'; ++c) letters[static_cast<unsigned char>(c)] = NameLetter::Token;
  for (char c = 'a'; c <= 'z'; ++c) letters[static_cast<unsigned char>(c)] = NameLetter::Token;
  for (char c = 'A'; c <= 'Z'; ++c) letters[static_cast<unsigned char>(c)] = NameLetter::Capital;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    letters[static_cast<unsigned char>(c)] = NameLetter::Token;
  }
  return letters;
}();

bool isBlank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// In UTF-8, what is beyond U+00FF begins with a byte from here on.
constexpr unsigned char kBeyondLatin1 = 0xc4;

bool isValueByte(char c) noexcept {
  return c != '\0' && c != '\n' && c != '\r' && static_cast<unsigned char>(c) < kBeyondLatin1;
}

}  // namespace

HeaderName classifyHeaderName(std::string_view name) noexcept {
  HeaderName found = name.empty() ? HeaderName::Invalid : HeaderName::Normal;
  for (const char c : name) {
    const NameLetter letter = kNameLetters[static_cast<unsigned char>(c)];
    if (letter == NameLetter::None) return HeaderName::Invalid;
    if (letter == NameLetter::Capital) found = HeaderName::HasCapitals;
  }
  return found;
}

std::optional<std::string_view> tryCleanHeaderValue(std::string_view value) noexcept {
  while (!value.empty() && isBlank(value.front())) value.remove_prefix(1);
  while (!value.empty() && isBlank(value.back())) value.remove_suffix(1);
  if (!std::ranges::all_of(value, isValueByte)) return std::nullopt;
  return value;
}

}  // namespace schemascript::guest
