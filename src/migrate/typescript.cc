#include "migrate/typescript.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "bridge/text.h"

namespace schemascript {
namespace {

using std::string_view_literals::operator""sv;

char32_t codePointOf(std::string_view character) {
  const auto byte = [character](std::size_t at) {
    return static_cast<unsigned char>(character[at]);
  };
  switch (character.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1fu) << 6 | (byte(1) & 0x3fu);
    case 3:
      return (byte(0) & 0x0fu) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu);
    default:
      return (byte(0) & 0x07u) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 |
             (byte(3) & 0x3fu);
  }
}

// Calls `use` with each character, as it is written and as a number.
template <typename Use>
void forEachCharacter(std::string_view text, Use&& use) {
  while (!text.empty()) {
    const std::size_t length = characterLength(text);
    SS_CHECK(length != 0, text.size());
    use(text.substr(0, length), codePointOf(text.substr(0, length)));
    text.remove_prefix(length);
  }
}

using Range = std::pair<char32_t, char32_t>;

// Control characters, blanks that are none, what is invisible, and what changes the direction of
// writing: a reader of the file would see something else than what is there.
constexpr std::array<Range, 9> kHidden{{{0x00, 0x1f},
                                        {0x7f, 0xa0},
                                        {0xad, 0xad},
                                        {0x61c, 0x61c},
                                        {0x200b, 0x200f},
                                        {0x2028, 0x202f},
                                        {0x2060, 0x206f},
                                        {0xfeff, 0xfeff},
                                        {0xe0000, 0xe0fff}}};

// Letters beyond ASCII that are in common use, of those that identifiers may have: not all.
constexpr std::array<Range, 14> kLetters{{{0xc0, 0xd6},
                                          {0xd8, 0xf6},
                                          {0xf8, 0x24f},
                                          {0x386, 0x386},
                                          {0x388, 0x38a},
                                          {0x38e, 0x3a1},
                                          {0x3a3, 0x3ce},
                                          {0x400, 0x481},
                                          {0x48a, 0x52f},
                                          {0x5d0, 0x5ea},
                                          {0x620, 0x64a},
                                          {0x3041, 0x3096},
                                          {0x30a1, 0x30fa},
                                          {0x4e00, 0x9fff}}};
constexpr Range kHangul{0xac00, 0xd7a3};

bool isIn(char32_t character, Range range) {
  return range.first <= character && character <= range.second;
}
template <std::size_t size>
bool isIn(char32_t character, const std::array<Range, size>& ranges) {
  return std::ranges::any_of(ranges, [character](Range range) { return isIn(character, range); });
}

std::string codePointEscape(char32_t codePoint) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  do {
    digits.insert(digits.begin(), kDigits[codePoint & 0xf]);
    codePoint >>= 4;
  } while (codePoint != 0);
  return str("\\u{", digits, "}");
}

std::string escaped(std::string_view text, std::string_view quoted, std::string_view plain) {
  std::string out;
  forEachCharacter(text, [&](std::string_view character, char32_t codePoint) {
    if (quoted.find(character) != std::string_view::npos) {
      out += str('\\', character);
    } else if (plain.find(character) != std::string_view::npos || !isIn(codePoint, kHidden)) {
      out += character;
    } else if (character == "\n") {
      out += "\\n";
    } else if (character == "\t") {
      out += "\\t";
    } else {
      out += codePointEscape(codePoint);
    }
  });
  return out;
}

// Words that cannot be the name of a variable in a module, and those that a schema uses itself.
constexpr std::array kReservedVariables{
    "Date"sv,       "Function"sv,  "Infinity"sv,  "NaN"sv,        "Number"sv,     "Object"sv,
    "Statement"sv,  "Stored"sv,    "String"sv,    "Symbol"sv,     "Table"sv,      "Uint8Array"sv,
    "View"sv,       "any"sv,       "arguments"sv, "as"sv,         "async"sv,      "await"sv,
    "break"sv,      "case"sv,      "catch"sv,     "class"sv,      "const"sv,      "continue"sv,
    "debugger"sv,   "declare"sv,   "default"sv,   "delete"sv,     "do"sv,         "else"sv,
    "enum"sv,       "eval"sv,      "export"sv,    "extends"sv,    "false"sv,      "finally"sv,
    "for"sv,        "from"sv,      "function"sv,  "get"sv,        "globalThis"sv, "if"sv,
    "implements"sv, "import"sv,    "in"sv,        "instanceof"sv, "interface"sv,  "let"sv,
    "module"sv,     "namespace"sv, "new"sv,       "null"sv,       "of"sv,         "package"sv,
    "private"sv,    "prop"sv,      "protected"sv, "public"sv,     "return"sv,     "set"sv,
    "sql"sv,        "static"sv,    "super"sv,     "switch"sv,     "this"sv,       "throw"sv,
    "true"sv,       "try"sv,       "type"sv,      "typeof"sv,     "undefined"sv,  "value"sv,
    "var"sv,        "void"sv,      "while"sv,     "with"sv,       "yield"sv};

// What a table has already, as an object and as Drizzle's.
constexpr std::array kReservedKeys{"_"sv,
                                   "__defineGetter__"sv,
                                   "__defineSetter__"sv,
                                   "__lookupGetter__"sv,
                                   "__lookupSetter__"sv,
                                   "__proto__"sv,
                                   "constructor"sv,
                                   "enableRLS"sv,
                                   "getSQL"sv,
                                   "hasOwnProperty"sv,
                                   "isPrototypeOf"sv,
                                   "propertyIsEnumerable"sv,
                                   "shouldOmitSQLParens"sv,
                                   "then"sv,
                                   "toJSON"sv,
                                   "toLocaleString"sv,
                                   "toString"sv,
                                   "valueOf"sv};

bool isUpper(char32_t letter) { return letter >= 'A' && letter <= 'Z'; }
bool isLower(char32_t letter) { return letter >= 'a' && letter <= 'z'; }
bool isDigit(char32_t letter) { return letter >= '0' && letter <= '9'; }

// `user_name`, `UserName`, `USER NAME` -> user, name. Digits belong to the word before them.
std::vector<std::string> wordsOf(std::string_view text) {
  std::vector<std::pair<std::string_view, char32_t>> characters;
  forEachCharacter(text, [&characters](std::string_view character, char32_t codePoint) {
    characters.emplace_back(character, codePoint);
  });
  std::vector<std::string> words;
  bool isInside = false;
  for (std::size_t at = 0; at < characters.size(); ++at) {
    const auto [character, letter] = characters[at];
    const bool isAscii = isUpper(letter) || isLower(letter) || isDigit(letter);
    if (!isAscii && !isIn(letter, kLetters) && !isIn(letter, kHangul)) {
      isInside = false;
      continue;
    }
    const bool followsSmall =
        at > 0 && (isLower(characters[at - 1].second) || isDigit(characters[at - 1].second));
    // The last capital of several begins a word: HTTPServer.
    const bool endsCapitals = at > 0 && isUpper(characters[at - 1].second) &&
                              at + 1 < characters.size() && isLower(characters[at + 1].second);
    if (!isInside || (isUpper(letter) && (followsSmall || endsCapitals))) words.emplace_back();
    isInside = true;
    words.back() +=
        isUpper(letter) ? std::string(1, static_cast<char>(letter + 32)) : std::string(character);
  }
  return words;
}

std::string camelCase(std::string_view text) {
  std::string name;
  for (std::string& word : wordsOf(text)) {
    if (!name.empty() && isLower(static_cast<unsigned char>(word[0]))) {
      word[0] = static_cast<char>(word[0] - 32);
    }
    name += word;
  }
  return name;
}

}  // namespace

std::string stringLiteral(std::string_view text) {
  return str('"', escaped(text, "\"\\", ""), '"');
}

std::string templateLiteral(std::string_view text) {
  // A dollar alone is harmless, but which one is alone would have to be told.
  return str('`', escaped(text, "`\\$", "\n"), '`');
}

Identifiers::Identifiers(Of of) : of_(of) {
  if (of == Of::Tables) {
    taken_.insert(kReservedVariables.begin(), kReservedVariables.end());
  } else {
    taken_.insert(kReservedKeys.begin(), kReservedKeys.end());
  }
}

std::string Identifiers::nameFor(std::string_view text) {
  std::string name = camelCase(text);
  if (name.empty()) name = of_ == Of::Tables ? "table" : "column";
  if (isDigit(static_cast<unsigned char>(name[0]))) name.insert(0, 1, '_');
  std::string free = name;
  if (taken_.contains(free) && of_ == Of::Tables) free = name += "Table";
  for (int number = 2; taken_.contains(free); ++number) {
    free = str(name, isDigit(static_cast<unsigned char>(name.back())) ? "_" : "", number);
  }
  taken_.insert(free);
  return free;
}

}  // namespace schemascript
