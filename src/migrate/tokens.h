// The tokens of a definition that SQLite has accepted. They are for what its introspection does not
// tell: CHECK constraints, collations, generated columns, AUTOINCREMENT.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace schemascript {

struct Token {
  enum class Kind : std::uint8_t {
    Word,        // A keyword or a bare name, in lower case.
    QuotedName,  // "x", [x] or `x`: without the quotes, in lower case.
    Other,       // A literal as it is written, or one character.
  };
  Kind kind;
  std::string text;

  bool isWord(std::string_view word) const { return kind == Kind::Word && text == word; }
  // A name in either form, in lower case; SQLite takes a text for one as well. Empty for others.
  std::string name() const;
  bool isSymbol(char symbol) const {
    return kind == Kind::Other && text.size() == 1 && text.front() == symbol;
  }
};

// Without blanks and comments.
std::vector<Token> tokensOf(std::string_view sql);

// A token and the place where it stands: `text` is a part of what it was read from.
struct PlacedToken {
  Token token;
  std::string_view text;
};
std::vector<PlacedToken> placedTokensOf(std::string_view sql);

// Neighbours as they are written, with one blank in place of blanks and comments.
std::string writtenText(std::span<const PlacedToken> tokens);

// A name or a text constant without its quotes, in the case that it is written in.
std::string unquotedText(std::string_view token);

// With one blank between each two. Equal for texts that differ in blanks, comments, case and quotes
// of names only; a name that needs its quotes keeps them.
std::string joinTokens(std::span<const Token> tokens);

// The statements of a text, each without what stands before its first token and with its semicolon.
// One that creates a trigger ends with `; END`, as in https://www.sqlite.org/c3ref/complete.html.
std::vector<std::string_view> statementsOf(std::string_view sql);

// What a CREATE TABLE has between its parentheses, part by part and as it is written: columns
// first, then the table's constraints. Empty where there are no parentheses.
std::vector<std::string> partsOfTable(std::string_view sql);

// A CREATE TABLE from its parentheses on; empty where there are none.
std::string_view bodyOfTable(std::string_view sql);

// `sql` where columns that are named with the table `from` (`"users"."age"`) are named with `to`.
std::string requalified(std::string_view sql, std::string_view from, std::string_view to);

// ASCII only, like SQLite's own comparison of names.
std::string lowerCase(std::string_view text);
std::string upperCase(std::string_view text);
// `it's` -> `'it''s'`, for SQL. A text without NUL.
std::string textConstant(std::string_view text);
// `users` -> `"users"`, for SQL.
std::string quotedName(std::string_view name);

bool isSameName(std::string_view one, std::string_view other);

}  // namespace schemascript
