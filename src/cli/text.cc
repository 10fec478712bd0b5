// printable() and readExcerpt().
#include "cli/text.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"

namespace schemascript {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

struct Character {
  char32_t code;
  std::size_t bytes;  // 0: not UTF-8.
};

// The first character of `text`, which is not empty.
Character firstCharacter(std::string_view text) noexcept {
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (lead < 0xc2 || lead > 0xf4) return {0, 0};
  char32_t code = lead & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kLeast[size] || code > 0x10ffff || surrogate) return {0, 0};
  return {code, size};
}

bool isHarmless(char32_t code) noexcept {
  if (code < 0x20) return code == '\n' || code == '\t';
  if (code >= 0x7f && code <= 0x9f) return false;
  // Marks, embeddings, overrides and isolates of the bidirectional algorithm; line separators.
  const bool directs = code == 0x061c || code == 0x200e || code == 0x200f ||
                       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return !directs;
}

void appendByteEscape(std::string& out, unsigned byte) {
  out += "\\x";
  out += kHexDigits[byte >> 4 & 15];
  out += kHexDigits[byte & 15];
}

// Whether a terminal shows it in two columns: the blocks of Unicode's EastAsianWidth.txt that are
// wide all over, roughly.
bool isWide(char32_t code) noexcept {
  constexpr std::array<std::array<char32_t, 2>, 9> kBlocks{{{0x1100, 0x115f},
                                                            {0x2e80, 0xa4cf},
                                                            {0xac00, 0xd7a3},
                                                            {0xf900, 0xfaff},
                                                            {0xfe30, 0xfe6f},
                                                            {0xff01, 0xff60},
                                                            {0xffe0, 0xffe6},
                                                            {0x1f300, 0x1faff},
                                                            {0x20000, 0x3fffd}}};
  return std::ranges::any_of(
      kBlocks, [code](const auto& block) { return code >= block[0] && code <= block[1]; });
}

// What is shown of a line that is longer: enough to recognize the place.
constexpr std::size_t kExcerptBytesMax = 120;

// Where in `line` the UTF-16 unit `units` begins.
std::size_t bytesBefore(std::string_view line, std::uint32_t units) noexcept {
  std::size_t bytes = 0;
  while (units > 0 && bytes < line.size()) {
    const Character character = firstCharacter(line.substr(bytes));
    bytes += character.bytes == 0 ? 1 : character.bytes;
    units -= character.code > 0xffff && units > 1 ? 2 : 1;
  }
  return bytes;
}

bool isInsideCharacter(std::string_view text, std::size_t at) noexcept {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

struct CutLine {
  std::string_view text;
  std::size_t at;  // In it.
};

// The part of a long line that `at` is in.
CutLine cutAround(std::string_view line, std::size_t at) noexcept {
  if (line.size() <= kExcerptBytesMax) return {line, at};
  std::size_t begin = at < kExcerptBytesMax / 2 ? 0 : at - kExcerptBytesMax / 2;
  while (isInsideCharacter(line, begin)) ++begin;
  std::size_t end = std::min(line.size(), begin + kExcerptBytesMax);
  while (isInsideCharacter(line, end)) --end;
  return {line.substr(begin, end - begin), at - begin};
}

// As wide as `text` is on a terminal, roughly: one blank for each character, tabs as they are.
std::string blanksFor(std::string_view text) {
  std::string blanks;
  for (const char character : text) {
    if ((static_cast<unsigned char>(character) & 0xc0) == 0x80) continue;
    blanks += character == '\t' ? '\t' : ' ';
  }
  return blanks;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const Character character = firstCharacter(text);
    if (character.bytes == 0) {
      appendByteEscape(safe, static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    if (isHarmless(character.code)) {
      safe += text.substr(0, character.bytes);
    } else if (character.code <= 0xff) {
      appendByteEscape(safe, character.code);
    } else {
      safe += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) safe += kHexDigits[character.code >> shift & 15];
    }
    text.remove_prefix(character.bytes);
  }
  return safe;
}

std::string oneLine(std::string_view text) {
  std::string line;
  for (const char character : printable(text)) {
    if (character == '\n' || character == '\t') {
      appendByteEscape(line, static_cast<unsigned char>(character));
    } else {
      line += character;
    }
  }
  return line;
}

std::string cutToColumns(std::string_view text, std::size_t columns) {
  constexpr std::string_view kCut = "...";
  const std::size_t kept = columns - std::min(columns, kCut.size());
  std::size_t used = 0;
  std::size_t keptBytes = 0;  // Those that leave room for kCut.
  for (std::size_t at = 0; at < text.size();) {
    const Character character = firstCharacter(text.substr(at));
    used += isWide(character.code) ? 2 : 1;
    if (used > columns) return str(text.substr(0, keptBytes), kCut.substr(0, columns));
    at += std::max<std::size_t>(character.bytes, 1);
    if (used <= kept) keptBytes = at;
  }
  return std::string(text);
}

Colours coloursFor(int file) noexcept {
  const char* const refused = std::getenv("NO_COLOR");
  if (refused != nullptr && *refused != '\0') return Colours::Off;
  return ::isatty(file) == 1 ? Colours::On : Colours::Off;
}

std::string Paint::wrap(std::string_view begin, std::string_view text) const {
  return colours_ == Colours::On ? str(begin, text, "\x1b[0m") : std::string(text);
}

std::uint32_t utf16Units(std::string_view text, std::size_t bytes) noexcept {
  text = text.substr(0, bytes);
  std::uint32_t units = 0;
  while (!text.empty()) {
    const Character character = firstCharacter(text);
    text.remove_prefix(character.bytes == 0 ? 1 : character.bytes);
    units += character.code > 0xffff ? 2 : 1;
  }
  return units;
}

std::string_view lineOf(std::string_view text, std::uint32_t number) noexcept {
  for (; number > 1; --number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  return text.ends_with('\r') ? text.substr(0, text.size() - 1) : text;
}

Excerpt readExcerpt(const std::string& file, std::uint32_t line, std::uint32_t column,
                    std::uint32_t around) {
  std::string content;
  try {
    content = readFile(file);
  } catch (const Error&) {
    return {};  // Removed in the meantime. The position alone has to do.
  }
  if (line == 0 || lineOf(content, line).find_first_not_of(" \t") == std::string_view::npos) {
    return {};
  }
  Excerpt excerpt{.firstLine = line - std::min(line - 1, around)};
  std::string_view rest = content;
  for (std::uint32_t number = 1; number <= line + around && !rest.empty(); ++number) {
    const std::string_view text = lineOf(rest, 1);
    if (number == line) {
      const CutLine cut = cutAround(text, bytesBefore(text, std::max(column, 1u) - 1));
      const std::string before = printable(cut.text.substr(0, cut.at));
      excerpt.lines.push_back(before + printable(cut.text.substr(cut.at)));
      excerpt.caretBytes = before.size();
    } else if (number >= excerpt.firstLine) {
      excerpt.lines.push_back(printable(cutAround(text, 0).text));
    }
    rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
  }
  return excerpt;
}

std::string renderLine(std::uint32_t number, std::string_view line, std::size_t caretBytes,
                       const Paint& paint) {
  const std::string digits = std::to_string(number);
  return str(paint.quiet(str("  ", digits, " | ")), line, '\n',
             paint.quiet(str("  ", std::string(digits.size(), ' '), " | ")),
             blanksFor(line.substr(0, caretBytes)), paint.error("^"), '\n');
}

}  // namespace schemascript
