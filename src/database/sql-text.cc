// Words in the text of a statement. What an identifier, a blank and a comment are is SQLite's
// (sqlite3GetToken() in its tokenize.c).
#include "database/sql-text.h"

#include <algorithm>
#include <initializer_list>
#include <string>

namespace schemascript {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // A blank to SQLite.

constexpr char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

constexpr bool isDigit(char letter) { return letter >= '0' && letter <= '9'; }

constexpr bool isOfWord(char letter) {
  return (lower(letter) >= 'a' && lower(letter) <= 'z') || isDigit(letter) || letter == '_' ||
         letter == '$' || static_cast<unsigned char>(letter) >= 0x80;
}

// Whether a word can begin where `before` ends. `?1natural` is a parameter and a word.
bool canBeginAfter(std::string_view before) {
  if (before.empty() || !isOfWord(before.back()) || before.ends_with(kByteOrderMark)) return true;
  const auto digits = before.find_last_not_of("0123456789");
  return digits != std::string_view::npos && digits + 1 < before.size() && before[digits] == '?';
}

// Where `word` is in `sql` as a whole word, from `from` on. `word` may have other characters than
// words have.
std::size_t findWord(std::string_view sql, std::string_view word, std::size_t from = 0) {
  const auto same = [](char left, char right) { return lower(left) == lower(right); };
  for (;; ++from) {
    const auto found =
        std::search(sql.begin() + static_cast<std::ptrdiff_t>(std::min(from, sql.size())),
                    sql.end(), word.begin(), word.end(), same);
    if (found == sql.end()) return std::string_view::npos;
    from = static_cast<std::size_t>(found - sql.begin());
    const std::string_view rest = sql.substr(from + word.size());
    const bool ends = rest.empty() || !isOfWord(word.back()) || !isOfWord(rest.front());
    if (ends && (!isOfWord(word.front()) || canBeginAfter(sql.substr(0, from)))) return from;
  }
}

bool startsWithWord(std::string_view sql, std::string_view word) {
  return findWord(sql.substr(0, word.size() + 1), word) == 0;
}

// Behind one identifier, in whatever quotes; where it does not end, behind all.
std::string_view skipName(std::string_view sql) {
  if (sql.empty()) return sql;
  const char quote = sql.front() == '[' ? ']' : sql.front();
  if (quote != '"' && quote != '\'' && quote != '`' && quote != ']') {
    return sql.substr(
        static_cast<std::size_t>(std::find_if_not(sql.begin(), sql.end(), isOfWord) - sql.begin()));
  }
  for (sql.remove_prefix(1);;) {
    const auto end = sql.find(quote);
    if (end == std::string_view::npos) return {};
    sql.remove_prefix(end + 1);
    if (quote == ']' || !sql.starts_with(quote)) return sql;
    sql.remove_prefix(1);
  }
}

// Calls `use` with what follows each place of `sql` that can be the identifier `name`, until it
// answers true; answers whether it did.
template <typename Use>
bool anyOf(std::string_view sql, std::string_view name, Use&& use) {
  if (name.empty()) return true;
  // In quotes, a quote of the same kind is written twice.
  for (const char quote : {'\0', '"', '\'', '`'}) {
    std::string written;
    for (const char letter : name) written.append(letter == quote ? 2 : 1, letter);
    if (quote != '\0' && written.size() == name.size()) continue;
    for (auto at = findWord(sql, written); at != std::string_view::npos;
         at = findWord(sql, written, at + 1)) {
      std::string_view rest = sql.substr(at + written.size());
      if (!rest.empty() && std::string_view("\"'`]").find(rest.front()) != std::string_view::npos) {
        if (use(rest.substr(1))) return true;
      }
      if (use(rest)) return true;
    }
  }
  return false;
}

// Behind `into`: a target without a list of columns, and no VALUES.
bool insertsPositions(std::string_view target) {
  std::string_view rest = skipBlanks(skipName(skipBlanks(target)));
  if (rest.starts_with('.')) rest = skipBlanks(skipName(skipBlanks(rest.substr(1))));
  if (startsWithWord(rest, "as")) rest = skipBlanks(skipName(skipBlanks(rest.substr(2))));
  return !rest.starts_with('(') && !startsWithWord(rest, "values") &&
         !startsWithWord(rest, "default");
}

}  // namespace

std::string_view skipBlanks(std::string_view sql) {
  for (;;) {
    sql.remove_prefix(std::min(sql.find_first_not_of(" \t\n\v\f\r"), sql.size()));
    if (sql.starts_with(kByteOrderMark)) {
      sql.remove_prefix(kByteOrderMark.size());
    } else if (sql.starts_with("--")) {
      sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
    } else if (sql.starts_with("/*")) {
      const auto end = sql.find("*/", 2);
      sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 2);
    } else {
      return sql;
    }
  }
}

bool namesInText(std::string_view sql, std::string_view name) {
  return anyOf(sql, name, [](std::string_view) { return true; });
}

bool definesByWith(std::string_view sql, std::string_view name) {
  if (findWord(sql, "with") == std::string_view::npos) return false;
  if (name.empty()) return true;
  return anyOf(sql, name, [](std::string_view rest) {
    rest = skipBlanks(rest);
    if (rest.starts_with('(')) return true;
    if (!startsWithWord(rest, "as")) return false;
    rest = skipBlanks(rest.substr(2));
    return rest.starts_with('(') || startsWithWord(rest, "not") ||
           startsWithWord(rest, "materialized");
  });
}

bool joinsByColumnNames(std::string_view sql) {
  // A table or column of that name has to stand in quotes.
  for (auto at = findWord(sql, "natural"); at != std::string_view::npos;
       at = findWord(sql, "natural", at + 1)) {
    const std::string_view rest = skipBlanks(sql.substr(at + std::string_view("natural").size()));
    for (const char* next : {"join", "left", "right", "full", "inner", "outer", "cross"}) {
      if (startsWithWord(rest, next)) return true;
    }
  }
  for (auto at = findWord(sql, "using"); at != std::string_view::npos;
       at = findWord(sql, "using", at + 1)) {
    if (skipBlanks(sql.substr(at + std::string_view("using").size())).starts_with('(')) return true;
  }
  return false;
}

bool copiesWholeRows(std::string_view sql) {
  bool selectsAll = false;
  for (const std::string_view word : {"select", "all"}) {
    for (auto at = findWord(sql, word); at != std::string_view::npos && !selectsAll;
         at = findWord(sql, word, at + 1)) {
      selectsAll = skipBlanks(sql.substr(at + word.size())).starts_with('*');
    }
  }
  if (!selectsAll) return false;
  for (auto at = findWord(sql, "into"); at != std::string_view::npos;
       at = findWord(sql, "into", at + 1)) {
    if (insertsPositions(sql.substr(at + std::string_view("into").size()))) return true;
  }
  return false;
}

}  // namespace schemascript
