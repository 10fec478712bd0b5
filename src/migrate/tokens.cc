// A tokenizer for text that is known to be SQL.
#include "migrate/tokens.h"

#include <algorithm>

namespace schemascript {
namespace {

bool isDigit(char letter) { return letter >= '0' && letter <= '9'; }

bool isNamePart(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || isDigit(letter) ||
         letter == '_' || letter == '$' || static_cast<unsigned char>(letter) >= 0x80;
}

bool isBlank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r' || letter == '\f';
}

// The length of the blanks or the comment that `sql` begins with; 0 when there is none.
std::size_t blankLength(std::string_view sql) {
  if (sql.starts_with("--")) return std::min(sql.find('\n'), sql.size());
  if (sql.starts_with("/*")) {
    const auto end = sql.find("*/", 2);
    return end == std::string_view::npos ? sql.size() : end + 2;
  }
  return isBlank(sql.front()) ? 1 : 0;
}

// The length of the quoted text that `sql` begins with. A quote that is doubled does not end it.
std::size_t quotedLength(std::string_view sql, char quote) {
  std::size_t at = 1;
  while (at < sql.size()) {
    if (sql[at] != quote) {
      ++at;
    } else if (quote != ']' && at + 1 < sql.size() && sql[at + 1] == quote) {
      at += 2;
    } else {
      return at + 1;
    }
  }
  return sql.size();
}

std::string unquoted(std::string_view text, char quote) {
  std::string name;
  const std::string_view inner = text.substr(1, text.size() - 2);
  for (std::size_t at = 0; at < inner.size(); ++at) {
    name += inner[at];
    if (inner[at] == quote && quote != ']') ++at;
  }
  return name;
}

std::size_t wordLength(std::string_view sql) {
  std::size_t length = 0;
  while (length < sql.size() && isNamePart(sql[length])) ++length;
  return length;
}

// A number goes on after its point, and after the sign of its exponent.
std::size_t numberLength(std::string_view sql) {
  std::size_t length = 0;
  while (length < sql.size()) {
    const char letter = sql[length];
    const bool isExponentSign = (letter == '+' || letter == '-') && length > 0 &&
                                (sql[length - 1] == 'e' || sql[length - 1] == 'E') &&
                                !sql.starts_with("0x") && !sql.starts_with("0X");
    if (!isNamePart(letter) && letter != '.' && !isExponentSign) break;
    ++length;
  }
  return length;
}

// Takes the first token from `sql`, which begins with one.
Token takeToken(std::string_view& sql) {
  const char first = sql.front();
  const auto take = [&sql](std::size_t length) {
    const std::string_view text = sql.substr(0, length);
    sql.remove_prefix(length);
    return text;
  };
  if (first == '"' || first == '`' || first == '[') {
    const char quote = first == '[' ? ']' : first;
    return {Token::Kind::QuotedName, lowerCase(unquoted(take(quotedLength(sql, quote)), quote))};
  }
  if (first == '\'') return {Token::Kind::Other, std::string(take(quotedLength(sql, '\'')))};
  const bool isBlob = (first == 'x' || first == 'X') && sql.size() > 1 && sql[1] == '\'';
  if (isBlob) {
    const std::size_t length = 1 + quotedLength(sql.substr(1), '\'');
    return {Token::Kind::Other, lowerCase(take(length))};
  }
  if (isDigit(first) || (first == '.' && sql.size() > 1 && isDigit(sql[1]))) {
    return {Token::Kind::Other, lowerCase(take(numberLength(sql)))};
  }
  if (isNamePart(first)) return {Token::Kind::Word, lowerCase(take(wordLength(sql)))};
  return {Token::Kind::Other, std::string(take(1))};
}

}  // namespace

std::string Token::name() const {
  if (kind != Kind::Other) return text;
  if (text.size() < 2 || text.front() != '\'') return {};
  return lowerCase(unquoted(text, '\''));
}

std::vector<Token> tokensOf(std::string_view sql) {
  std::vector<Token> tokens;
  while (!sql.empty()) {
    if (const std::size_t blank = blankLength(sql); blank != 0) {
      sql.remove_prefix(blank);
    } else {
      tokens.push_back(takeToken(sql));
    }
  }
  return tokens;
}

std::vector<PlacedToken> placedTokensOf(std::string_view sql) {
  std::vector<PlacedToken> tokens;
  while (!sql.empty()) {
    if (const std::size_t blank = blankLength(sql); blank != 0) {
      sql.remove_prefix(blank);
      continue;
    }
    const std::string_view rest = sql;
    Token token = takeToken(sql);
    tokens.push_back({.token = std::move(token), .text = rest.substr(0, rest.size() - sql.size())});
  }
  return tokens;
}

std::string writtenText(std::span<const PlacedToken> tokens) {
  std::string text;
  const char* end = nullptr;
  for (const PlacedToken& each : tokens) {
    if (end != nullptr && each.text.data() != end) text += ' ';
    text += each.text;
    end = each.text.data() + each.text.size();
  }
  return text;
}

std::string unquotedText(std::string_view token) {
  if (token.size() < 2) return std::string(token);
  const char first = token.front();
  if (first == '[') return unquoted(token, ']');
  return first == '"' || first == '`' || first == '\'' ? unquoted(token, first)
                                                       : std::string(token);
}

namespace {

// Whether the tokens of a statement so far are the beginning of a CREATE TRIGGER.
bool createsTrigger(std::span<const Token> tokens) {
  if (tokens.size() < 2 || !tokens.front().isWord("create")) return false;
  const Token& second = tokens[1].isWord("temp") || tokens[1].isWord("temporary")
                            ? tokens[std::min<std::size_t>(2, tokens.size() - 1)]
                            : tokens[1];
  return second.isWord("trigger");
}

bool isEnd(std::span<const Token> tokens) {
  if (tokens.empty() || !tokens.back().isSymbol(';')) return false;
  if (!createsTrigger(tokens)) return true;
  return tokens.size() > 2 && tokens[tokens.size() - 2].isWord("end") &&
         tokens[tokens.size() - 3].isSymbol(';');
}

}  // namespace

std::vector<std::string_view> statementsOf(std::string_view sql) {
  std::vector<std::string_view> statements;
  std::vector<Token> tokens;  // Of the statement that goes on.
  const char* begin = nullptr;
  const auto take = [&] {
    // A lone semicolon is no statement.
    if (tokens.size() > 1 || (tokens.size() == 1 && !tokens.front().isSymbol(';'))) {
      statements.emplace_back(begin, sql.data());
    }
    tokens.clear();
  };
  while (!sql.empty()) {
    if (const std::size_t blank = blankLength(sql); blank != 0) {
      sql.remove_prefix(blank);
      continue;
    }
    if (tokens.empty()) begin = sql.data();
    tokens.push_back(takeToken(sql));
    if (isEnd(tokens)) take();
  }
  take();
  return statements;
}

std::vector<std::string> partsOfTable(std::string_view sql) {
  std::vector<std::string> parts;
  const char* begin = nullptr;  // Of the part that goes on.
  int depth = 0;
  while (!sql.empty()) {
    const char* const at = sql.data();
    if (const std::size_t blank = blankLength(sql); blank != 0) {
      sql.remove_prefix(blank);
      continue;
    }
    const Token token = takeToken(sql);
    if (token.isSymbol(')')) --depth;
    const bool isEnd = begin != nullptr && depth == 0;
    if (isEnd || (depth == 1 && token.isSymbol(','))) {
      parts.emplace_back(begin, at);
      begin = sql.data();
    }
    if (isEnd) return parts;
    if (token.isSymbol('(') && depth++ == 0) begin = sql.data();
  }
  return {};
}

std::string_view bodyOfTable(std::string_view sql) {
  while (!sql.empty()) {
    const std::string_view rest = sql;
    if (const std::size_t blank = blankLength(sql); blank != 0) {
      sql.remove_prefix(blank);
    } else if (takeToken(sql).isSymbol('(')) {
      return rest;
    }
  }
  return {};
}

std::string requalified(std::string_view sql, std::string_view from, std::string_view to) {
  std::string text;
  while (!sql.empty()) {
    const std::string_view rest = sql;
    const std::size_t blank = blankLength(sql);
    if (blank != 0) {
      sql.remove_prefix(blank);
      text += rest.substr(0, blank);
      continue;
    }
    const bool isName = isSameName(takeToken(sql).name(), from);
    const std::string_view after =
        sql.substr(std::min(sql.find_first_not_of(" \t\r\n"), sql.size()));
    if (isName && after.starts_with('.')) {
      text += quotedName(to);
    } else {
      text += rest.substr(0, rest.size() - sql.size());
    }
  }
  return text;
}

std::string joinTokens(std::span<const Token> tokens) {
  std::string text;
  for (const Token& token : tokens) {
    if (!text.empty()) text += ' ';
    const bool needsQuotes =
        token.kind == Token::Kind::QuotedName &&
        (token.text.empty() || !std::all_of(token.text.begin(), token.text.end(), isNamePart));
    text += needsQuotes ? quotedName(token.text) : token.text;
  }
  return text;
}

std::string lowerCase(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

std::string quotedName(std::string_view name) {
  std::string text(1, '"');
  for (const char letter : name) text.append(letter == '"' ? 2 : 1, letter);
  return text + '"';
}

std::string textConstant(std::string_view text) {
  std::string constant(1, '\'');
  for (const char letter : text) constant.append(letter == '\'' ? 2 : 1, letter);
  return constant + '\'';
}

bool isSameName(std::string_view one, std::string_view other) {
  const auto lower = [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  };
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [lower](char a, char b) { return lower(a) == lower(b); });
}

std::string upperCase(std::string_view text) {
  std::string upper(text);
  for (char& letter : upper) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  return upper;
}

}  // namespace schemascript
