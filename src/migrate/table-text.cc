#include "migrate/table-text.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/error.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

using Tokens = std::span<const PlacedToken>;

// The number of tokens of the parenthesis that `tokens` begin with.
std::size_t parenthesisLength(Tokens tokens) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at < tokens.size(); ++at) {
    if (tokens[at].token.isSymbol('(')) ++depth;
    if (tokens[at].token.isSymbol(')') && --depth == 0) return at + 1;
  }
  return tokens.size();
}

bool isConstraint(const Token& first) {
  return first.isWord("constraint") || first.isWord("primary") || first.isWord("unique") ||
         first.isWord("check") || first.isWord("foreign");
}

// One part of the list of a CREATE TABLE, word by word.
class PartReader {
 public:
  PartReader(Tokens part, CreateTable& table) : part_(part), table_(table) {}

  void read() {
    if (!isConstraint(part_.front().token)) {
      name_ = part_.front().token.name();
      ++at_;
    }
    while (at_ < part_.size()) readOne();
    if (!name_.empty()) table_.columns[name_] = std::move(column_);
  }

 private:
  bool isWord(std::string_view word, std::size_t further = 0) const {
    return at_ + further < part_.size() && part_[at_ + further].token.isWord(word);
  }
  bool opens(std::size_t further = 0) const {
    return at_ + further < part_.size() && part_[at_ + further].token.isSymbol('(');
  }
  // The inside of the parenthesis that begins `further` on, and goes on behind it.
  std::string takeParenthesis(std::size_t further) {
    const Tokens rest = part_.subspan(at_ + further);
    const std::size_t length = parenthesisLength(rest);
    at_ += further + length;
    return writtenText(rest.subspan(1, length < 2 ? 0 : length - 2));
  }
  std::string takeName() { return std::exchange(constraint_, {}); }

  void readOne() {
    if (isWord("constraint") && at_ + 1 < part_.size()) {
      constraint_ = unquotedText(part_[at_ + 1].text);
      at_ += 2;
    } else if (isWord("check") && opens(1)) {
      std::string name = takeName();
      table_.checks.push_back(
          {.name = std::move(name), .column = name_, .expression = takeParenthesis(1)});
    } else if (isWord("as") && opens(1)) {
      column_.generated = takeParenthesis(1);
    } else if (isWord("default")) {
      at_ += opens(1) ? 1 : 2;
    } else if (isWord("collate") && at_ + 1 < part_.size()) {
      column_.collation = unquotedText(part_[at_ + 1].text);
      at_ += 2;
    } else if (isWord("references")) {
      table_.foreignKeys.push_back({.name = takeName()});
      at_ += 2;
    } else if (opens()) {
      readList();
    } else {
      readWord();
    }
  }

  // Columns of a key: what is more than a name of each is odd.
  void readList() {
    const Tokens list = part_.subspan(at_, parenthesisLength(part_.subspan(at_)));
    for (const PlacedToken& each : list) {
      if (each.token.isWord("desc")) table_.oddity = "DESC in a key";
      if (each.token.isWord("collate")) table_.oddity = "COLLATE in a key";
      table_.isAutoincrement |= each.token.isWord("autoincrement");
    }
    at_ += list.size();
  }

  void readWord() {
    for (const char* other : {"primary", "unique", "not", "null", "generated"}) {
      if (isWord(other)) constraint_.clear();  // It was the name of that.
    }
    if (isWord("on") && isWord("conflict", 1)) table_.oddity = "ON CONFLICT";
    if (isWord("key") && isWord("desc", 1)) table_.oddity = "DESC in a key";
    table_.isAutoincrement |= isWord("autoincrement");
    if (isWord("initially") && isWord("deferred", 1) && !table_.foreignKeys.empty()) {
      table_.foreignKeys.back().isDeferred = true;
      const bool isContradicted = at_ > 1 && part_[at_ - 1].token.isWord("deferrable") &&
                                  part_[at_ - 2].token.isWord("not");
      if (isContradicted) table_.oddity = "NOT DEFERRABLE INITIALLY DEFERRED";
    }
    ++at_;
  }

  const Tokens part_;
  CreateTable& table_;
  std::size_t at_ = 0;
  std::string name_;  // Of the column; empty for constraints behind all columns.
  WrittenColumn column_;
  std::string constraint_;
};

}  // namespace

CreateTable readTableText(std::string_view sql) {
  const std::vector<PlacedToken> tokens = placedTokensOf(sql);
  const auto open = std::ranges::find_if(
      tokens, [](const PlacedToken& each) { return each.token.isSymbol('('); });
  SS_CHECK(open != tokens.end(), sql);
  const Tokens list(open, tokens.end());
  const std::size_t length = parenthesisLength(list);
  CreateTable table;
  std::size_t start = 1;
  int depth = 0;
  for (std::size_t at = 1; at < length; ++at) {
    const Token& token = list[at].token;
    if (token.isSymbol('(')) ++depth;
    const bool ends = at + 1 == length || (depth == 0 && token.isSymbol(','));
    if (token.isSymbol(')')) --depth;
    if (!ends) continue;
    if (at > start) PartReader(list.subspan(start, at - start), table).read();
    start = at + 1;
  }
  for (const PlacedToken& option : list.subspan(length)) {
    table.isStrict |= option.token.isWord("strict");
    table.isWithoutRowid |= option.token.isWord("without");
  }
  return table;
}

}  // namespace schemascript
