// From SQLite's introspection, and from the text where that is silent, to the words of the
// language.
#include "migrate/pulled.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "migrate/rows.h"
#include "migrate/table-text.h"
#include "migrate/tokens.h"
#include "migrate/typescript.h"

namespace schemascript {
namespace {

using std::string_view_literals::operator""sv;

constexpr int kRowsRead = 1000;
constexpr std::int64_t kSafeIntegerMax = 9'007'199'254'740'991;

std::string normal(std::string_view sql) { return joinTokens(tokensOf(sql)); }

std::string_view storageOf(PropertyKind kind) {
  switch (kind) {
    case PropertyKind::Integer:
    case PropertyKind::BigInteger:
    case PropertyKind::Boolean:
    case PropertyKind::Datetime:
      return "INTEGER";
    case PropertyKind::Real:
      return "REAL";
    case PropertyKind::Text:
    case PropertyKind::Node:
    case PropertyKind::NodeList:
    case PropertyKind::Enum:
      return "TEXT";
    case PropertyKind::Blob:
      return "BLOB";
    case PropertyKind::Any:
      return "ANY";
  }
  return {};
}

bool holdsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

// What SQLite makes of values in a column by its declared type (datatype3.html, 3.1); nothing where
// it makes numbers of some and leaves others as they are.
std::optional<PropertyKind> tryAffinity(std::string_view declared) {
  const std::string type = upperCase(declared);
  if (type.empty() || type == "ANY") return PropertyKind::Any;
  if (holdsOneOf(type, {"INT"})) return PropertyKind::Integer;
  if (holdsOneOf(type, {"CHAR", "CLOB", "TEXT"})) return PropertyKind::Text;
  if (holdsOneOf(type, {"BLOB"})) return PropertyKind::Blob;
  if (holdsOneOf(type, {"REAL", "FLOA", "DOUB"})) return PropertyKind::Real;
  return std::nullopt;
}

// The same, and for those others what people mean with the word.
PropertyKind kindOfType(std::string_view declared) {
  if (const auto kind = tryAffinity(declared)) return *kind;
  const std::string type = upperCase(declared);
  if (holdsOneOf(type, {"DATE", "TIME", "STRING", "JSON", "UUID", "GUID", "ENUM"})) {
    return PropertyKind::Text;
  }
  if (holdsOneOf(type, {"BOOL", "BIT"})) return PropertyKind::Integer;
  if (holdsOneOf(type, {"NUM", "DEC", "MONEY", "CURRENCY", "PRICE"})) return PropertyKind::Real;
  if (holdsOneOf(type, {"BINARY", "IMAGE"})) return PropertyKind::Blob;
  return PropertyKind::Any;
}

// What the first rows of a table have in a column.
struct Held {
  std::set<std::string> types;  // As typeof() calls them, without null.
  bool hasLargeIntegers = false;
};

// What a column is read as that promises `kind` and holds that.
PropertyKind kindOfHeld(PropertyKind kind, const Held& held) {
  const auto holdsOnly = [&held](std::initializer_list<std::string> types) {
    return std::ranges::all_of(held.types, [&types](const std::string& type) {
      return std::ranges::find(types, type) != types.end();
    });
  };
  if (kind == PropertyKind::Integer && held.hasLargeIntegers) kind = PropertyKind::BigInteger;
  if (held.types.empty()) return kind;
  if (held.hasLargeIntegers && !holdsOnly({"integer"})) return PropertyKind::Any;
  if (holdsOnly({"integer"})) {
    if (held.hasLargeIntegers) return PropertyKind::BigInteger;
    return kind == PropertyKind::Real ? PropertyKind::Real : PropertyKind::Integer;
  }
  if (holdsOnly({"integer", "real"})) return PropertyKind::Real;
  if (holdsOnly({"text"})) return PropertyKind::Text;
  if (holdsOnly({"blob"})) return PropertyKind::Blob;
  return PropertyKind::Any;
}

// As SQLite tells it of a column.
struct ReadColumn {
  std::string name;
  std::string type;
  std::string initial;
  bool isNotNull = false;
  std::int64_t keyPosition = 0;
  std::int64_t hidden = 0;
};

std::vector<ReadColumn> readColumns(Database& database, std::string_view table) {
  std::vector<ReadColumn> columns;
  forEachRow(database,
             "select name, type, coalesce(dflt_value, ''), \"notnull\", pk, hidden"
             " from pragma_table_xinfo(?1)",
             table, [&columns](const Execution& row) {
               columns.push_back({.name = textOf(row, 0),
                                  .type = textOf(row, 1),
                                  .initial = textOf(row, 2),
                                  .isNotNull = row.column(3).integer != 0,
                                  .keyPosition = row.column(4).integer,
                                  .hidden = row.column(5).integer});
             });
  return columns;
}

// Reads what some columns hold: two results for each. As a guest would, so that nothing in the
// database can do more than one.
void readHeldOf(Database& database, std::string_view table, std::span<const std::string> names,
                std::map<std::string, Held>& held) {
  std::string results;
  std::string values;
  for (const std::string& name : names) {
    const std::string column = quotedName(name);
    const std::size_t at = results.size();  // A number that is not there yet.
    const char* const separator = results.empty() ? "" : ", ";
    results += str(separator, "group_concat(distinct t", at, "), max(l", at, ")");
    values +=
        str(separator, "typeof(", column, ") as t", at, ", typeof(", column, ") = 'integer' and (",
            column, " > ", kSafeIntegerMax, " or ", column, " < -", kSafeIntegerMax, ") as l", at);
  }
  Statement statement = database.prepare(str("select ", results, " from (select ", values, " from ",
                                             quotedName(table), " limit ", kRowsRead, ")"),
                                         Rules::Guest);
  Execution row(statement);
  if (!row.step()) return;
  int at = 0;
  for (const std::string& name : names) {
    Held& of = held[name];
    std::string types = textOf(row, at++);
    for (const Token& token : tokensOf(types)) {
      if (token.kind == Token::Kind::Word && token.text != "null") of.types.insert(token.text);
    }
    of.hasLargeIntegers = row.column(at++).integer != 0;
  }
}

std::map<std::string, Held> readHeld(Database& database, std::string_view table,
                                     const std::vector<std::string>& names) {
  constexpr std::size_t kAtOnce = 100;  // SQLite takes 2,000 results.
  std::map<std::string, Held> held;
  try {
    for (std::size_t at = 0; at < names.size(); at += kAtOnce) {
      readHeldOf(database, table,
                 std::span(names).subspan(at, std::min(kAtOnce, names.size() - at)), held);
    }
  } catch (const Error& error) {
    // What cannot be read is not told; the declared types decide.
    if (error.code() == ErrorCode::LimitExceeded) throw;
  }
  return held;
}

bool isDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// A number that JavaScript writes as it is written here, or nothing.
std::optional<std::string> tryNumber(std::string_view text, PropertyKind kind) {
  std::string_view digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  const bool isCanonical = digits == "0" || !digits.starts_with('0');
  const bool isNegativeZero = text == "-0";
  if (isDigits(digits) && digits.size() <= 15 && isCanonical && !isNegativeZero) {
    return std::string(text);
  }
  if (kind != PropertyKind::Real) return std::nullopt;
  const std::size_t point = digits.find('.');
  if (point == std::string_view::npos || digits.size() > 15) return std::nullopt;
  const std::string_view whole = digits.substr(0, point);
  const std::string_view part = digits.substr(point + 1);
  const bool isWhole = isDigits(whole) && (whole == "0" || !whole.starts_with('0'));
  // Small ones are written with an exponent.
  const bool isPart = isDigits(part) && !part.ends_with('0') && !part.starts_with("000");
  return isWhole && isPart ? std::optional(std::string(text)) : std::nullopt;
}

std::string sqlOf(std::string_view text) { return str("sql", templateLiteral(text)); }

// The language's own defaults: value.now() by the kind that it is for, value.uuid().
constexpr std::string_view kNowSeconds = "unixepoch()";
constexpr std::string_view kNowMilliseconds =
    "unixepoch() * 1000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER)";
constexpr std::string_view kNowText = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
constexpr std::string_view kUuid =
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)"
    " || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || "
    "hex(randomblob(6)))";

// A default as TypeScript. `written` is not empty.
std::string initialOf(const PulledColumn& column, std::string_view written) {
  const std::vector<PlacedToken> tokens = placedTokensOf(written);
  const std::string text = writtenText(tokens);
  const std::string tokensText = normal(written);
  const bool isInteger =
      column.kind == PropertyKind::Integer || column.kind == PropertyKind::BigInteger;
  if ((isInteger && tokensText == normal(kNowSeconds)) ||
      (column.kind == PropertyKind::Datetime && tokensText == normal(kNowMilliseconds)) ||
      (column.kind == PropertyKind::Text && tokensText == normal(kNowText))) {
    return "value.now()";
  }
  if (column.kind == PropertyKind::Text && tokensText == normal(kUuid)) return "value.uuid()";
  constexpr std::array kWords{"true"sv, "false"sv, "current_date"sv, "current_time"sv,
                              "current_timestamp"sv};
  if (tokens.size() == 1) {
    const Token& only = tokens[0].token;
    const bool isConstant = only.kind == Token::Kind::Other && only.text.starts_with('\'');
    const bool isWord =
        only.kind == Token::Kind::Word && std::ranges::count(kWords, only.text) != 0;
    // A name alone stands for the text.
    if (isConstant || (only.kind != Token::Kind::Other && !isWord)) {
      const std::string value = unquotedText(tokens[0].text);
      if (column.kind == PropertyKind::Text) return stringLiteral(value);
      if (column.kind == PropertyKind::Enum && std::ranges::count(column.options, value) != 0) {
        return stringLiteral(value);
      }
      return sqlOf(textConstant(value));
    }
  }
  if (column.kind == PropertyKind::Boolean && (text == "0" || text == "1")) {
    return text == "1" ? "true" : "false";
  }
  if (isInteger || column.kind == PropertyKind::Real) {
    if (const auto number = tryNumber(text, column.kind)) {
      return column.kind == PropertyKind::BigInteger ? str(*number, "n") : *number;
    }
  }
  return sqlOf(text);
}

// What the language makes CHECK constraints of, beside check() itself. `column` is changed where
// one says exactly that.
class KnownChecks {
 public:
  // `isKey`: it is no list, as a part of the identifier or because it refers to a column.
  KnownChecks(const PulledTable& table, PulledColumn& column, bool isKey)
      : table_(table), column_(column), isKey_(isKey), quoted_(quotedName(column.name)) {}

  bool tryTake(const PulledCheck& check) { return tryType(check) || tryBound(check); }

 private:
  // Whether the constraint loses no name of its own.
  bool isCalled(const PulledCheck& check, std::string_view suffix) const {
    return check.name.empty() || check.name == str(table_.name, '_', column_.name, '_', suffix);
  }
  bool says(const PulledCheck& check, std::string_view sql) const {
    return normal(check.expression) == normal(sql);
  }

  bool tryType(const PulledCheck& check) {
    if (!isCalled(check, "check") || isTyped_ || !column_.bounds.empty()) return false;
    const bool isText = column_.kind == PropertyKind::Text;
    if (column_.kind == PropertyKind::Integer && !column_.isIdentifier &&
        says(check, str(quoted_, " IN (0, 1)"))) {
      column_.kind = PropertyKind::Boolean;
    } else if (isText &&
               says(check, column_.isRequired
                               ? str("json_valid(", quoted_, ")")
                               : str("(", quoted_, " IS NULL OR json_valid(", quoted_, "))"))) {
      column_.kind = PropertyKind::Node;
    } else if (isText && !isKey_ && !column_.isIdentifier &&
               says(check, str("CASE WHEN json_valid(", quoted_, ") THEN json_type(", quoted_,
                               ") = 'array' ELSE ", quoted_, " IS NULL END"))) {
      column_.kind = PropertyKind::NodeList;
    } else if (!isText || !tryEnum(check)) {
      return false;
    }
    return isTyped_ = true;
  }

  bool tryEnum(const PulledCheck& check) {
    std::vector<std::string> options;
    std::string list;
    for (const PlacedToken& each : placedTokensOf(check.expression)) {
      if (!each.text.starts_with('\'')) continue;
      std::string option = unquotedText(each.text);
      if (std::ranges::count(options, option) != 0) return false;
      list += str(list.empty() ? "" : ", ", each.text);
      options.push_back(std::move(option));
    }
    if (options.empty() || !says(check, str(quoted_, " IN (", list, ")"))) return false;
    column_.kind = PropertyKind::Enum;
    column_.options = std::move(options);
    return true;
  }

  bool tryBound(const PulledCheck& check) {
    if (isTyped_) return false;
    const bool isNumber =
        column_.kind == PropertyKind::Integer || column_.kind == PropertyKind::Real;
    if (!isNumber && column_.kind != PropertyKind::Text) return false;
    const std::string measure = isNumber ? quoted_ : str("length(", quoted_, ")");
    const std::string behind = isNumber ? "" : str(" AND instr(", quoted_, ", char(0)) = 0");
    using Bound = std::pair<std::string_view, std::string_view>;
    for (const auto& [name, comparison] :
         {Bound{"min", ">="}, Bound{"max", "<="}, Bound{"length", "="}}) {
      if (!isCalled(check, name) || (isNumber && name == "length") || has(name)) continue;
      const auto number = tryBoundOf(check, str(measure, ' ', comparison), behind);
      if (!number || !fits(name, *number)) continue;
      column_.bounds.push_back(str(".", name, "(", *number, ")"));
      return true;
    }
    return false;
  }

  bool has(std::string_view bound) const {
    return std::ranges::any_of(column_.bounds, [bound](const std::string& each) {
      return each.starts_with(str(".", bound, "("));
    });
  }

  // The least must not be above the greatest; a count is whole, and one of 0 makes no constraint.
  bool fits(std::string_view name, std::string_view number) {
    double value = 0;
    std::from_chars(number.data(), number.data() + number.size(), value);
    if (column_.kind == PropertyKind::Text) {
      if (value < 0 || (name == "min" && value == 0)) return false;
    }
    if (name == "min") least_ = value;
    if (name == "max") greatest_ = value;
    if (!least_ || !greatest_ || *least_ <= *greatest_) return true;
    (name == "min" ? least_ : greatest_).reset();
    return false;
  }

  std::optional<std::string> tryBoundOf(const PulledCheck& check, std::string_view before,
                                        std::string_view behind) const {
    const std::string text = normal(check.expression);
    const std::string start = str(normal(before), ' ');
    if (!text.starts_with(start)) return std::nullopt;
    std::string number;
    for (const Token& token : tokensOf(std::string_view(text).substr(start.size()))) {
      const bool isSign = number.empty() && token.isSymbol('-');
      if (!isSign && (token.text.empty() || token.text[0] < '0' || token.text[0] > '9')) break;
      number += token.text;
      if (!isSign) break;
    }
    const PropertyKind kind =
        column_.kind == PropertyKind::Real ? PropertyKind::Real : PropertyKind::Integer;
    const auto known = tryNumber(number, kind);
    return known && text == normal(str(before, ' ', *known, behind)) ? known : std::nullopt;
  }

  const PulledTable& table_;
  PulledColumn& column_;
  const bool isKey_;
  const std::string quoted_;
  bool isTyped_ = false;
  std::optional<double> least_;
  std::optional<double> greatest_;
};

// The one column of a table that an expression names; nothing when there are more, or none.
std::optional<std::size_t> tryFindOnlyColumn(const PulledTable& table,
                                             std::string_view expression) {
  std::optional<std::size_t> found;
  for (const Token& token : tokensOf(expression)) {
    if (token.kind == Token::Kind::Other) continue;
    for (std::size_t at = 0; at < table.columns.size(); ++at) {
      if (!isSameName(token.name(), table.columns[at].name)) continue;
      if (found && *found != at) return std::nullopt;
      found = at;
    }
  }
  return found;
}

std::size_t indexOf(const PulledTable& table, std::string_view name) {
  const auto found = std::ranges::find_if(
      table.columns, [name](const PulledColumn& column) { return isSameName(column.name, name); });
  return static_cast<std::size_t>(found - table.columns.begin());
}

// As the language has it: words, or names in quotes, and up to two numbers.
bool isSayable(std::string_view type) {
  constexpr std::array kEnds{"always"sv,     "as"sv,      "check"sv,      "collate"sv,
                             "constraint"sv, "default"sv, "deferrable"sv, "generated"sv,
                             "not"sv,        "null"sv,    "on"sv,         "primary"sv,
                             "references"sv, "unique"sv};
  if (type.find("--") != std::string_view::npos || type.find("/*") != std::string_view::npos) {
    return false;
  }
  bool isEnded = false;
  for (const Token& token : tokensOf(type)) {
    isEnded |= token.isSymbol('(');
    // A name in quotes can hold anything, and nobody writes one.
    if (token.kind == Token::Kind::QuotedName || token.text.starts_with('\'')) return false;
    if (!isEnded &&
        (token.kind != Token::Kind::Word || std::ranges::count(kEnds, token.text) != 0)) {
      return false;
    }
  }
  return true;
}

class TableReader {
 public:
  TableReader(Database& database, const TableShape& shape, std::string variable)
      : database_(database), shape_(shape), text_(readTableText(shape.sql)) {
    table_.name = shape.name;
    table_.variable = std::move(variable);
    table_.isStrict = text_.isStrict;
    table_.isWithoutRowid = text_.isWithoutRowid;
    table_.isAutoincrement = text_.isAutoincrement;
    table_.oddity = text_.oddity;
  }

  PulledTable read() {
    const std::vector<ReadColumn> columns = readColumns(database_, table_.name);
    readHeldTypes(columns);
    readReferring();
    Identifiers keys(Identifiers::Of::Columns);
    for (const ReadColumn& column : columns) addColumn(column, keys.nameFor(column.name));
    readIdentifier(columns);
    addUniques();
    addChecks();
    for (std::size_t at = 0; at < columns.size(); ++at) addInitial(columns[at], table_.columns[at]);
    if (!table_.oddity.empty()) table_.statement = shape_.sql;
    return std::move(table_);
  }

 private:
  void setOdd(std::string_view why) {
    if (table_.oddity.empty()) table_.oddity = why;
  }

  void readHeldTypes(const std::vector<ReadColumn>& columns) {
    std::vector<std::string> asked;
    for (const ReadColumn& column : columns) {
      const bool isTold = table_.isStrict && !upperCase(column.type).starts_with("INT");
      if (!isTold) asked.push_back(column.name);
    }
    if (!asked.empty()) held_ = readHeld(database_, table_.name, asked);
  }

  void readReferring() {
    forEachRow(database_, "select \"from\" from pragma_foreign_key_list(?1)", table_.name,
               [this](const Execution& row) { keys_.insert(lowerCase(row.column(0).bytes)); });
  }

  void addColumn(const ReadColumn& read, std::string key) {
    PulledColumn column{.name = read.name, .key = std::move(key)};
    const auto held = held_.find(read.name);
    column.kind = kindOfType(read.type);
    if (held != held_.end()) column.kind = kindOfHeld(column.kind, held->second);
    column.isRequired = read.isNotNull || read.keyPosition != 0;
    column.hasNoNotNull = read.keyPosition != 0 && !read.isNotNull;
    if (const auto text = text_.columns.find(lowerCase(read.name)); text != text_.columns.end()) {
      if (upperCase(text->second.collation) != "BINARY") column.collation = text->second.collation;
      column.generated = text->second.generated;
    }
    column.isStored = read.hidden == 3;
    declare(read.type, column);
    if (!isPlainName(column.collation)) {
      setOdd("the name of a collation");
      column.collation.clear();
    }
    if (!isSayable(read.type)) {
      setOdd("a type");
      column.declared.reset();
    }
    table_.columns.push_back(std::move(column));
  }

  static bool isPlainName(std::string_view name) {
    return std::ranges::all_of(name,
                               [](char c) {
                                 return c == '_' || (c >= '0' && c <= '9') ||
                                        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                               }) &&
           (name.empty() || name[0] < '0' || name[0] > '9');
  }

  void declare(const std::string& type, PulledColumn& column) const {
    const std::string upper = upperCase(type);
    // Nothing is declared as nothing but prop.custom().
    if (type.empty()) column.kind = PropertyKind::Any;
    const bool isPlain = column.kind == PropertyKind::Any ? upper == (table_.isStrict ? "ANY" : "")
                                                          : upper == storageOf(column.kind);
    if (!isPlain) column.declared = type;
  }

  void readIdentifier(const std::vector<ReadColumn>& columns) {
    std::vector<std::pair<std::int64_t, std::size_t>> parts;
    for (std::size_t at = 0; at < columns.size(); ++at) {
      if (columns[at].keyPosition != 0) parts.emplace_back(columns[at].keyPosition, at);
    }
    if (parts.empty()) return;
    std::ranges::sort(parts);
    PulledColumn& first = table_.columns[parts[0].second];
    const bool isInteger = upperCase(columns[parts[0].second].type) == "INTEGER";
    const bool isRowid = parts.size() == 1 && isInteger && !table_.isWithoutRowid;
    if (isRowid) {
      if (first.kind != PropertyKind::BigInteger) first.kind = PropertyKind::Integer;
      first.declared.reset();
      first.hasNoNotNull = false;
    }
    const bool isNumber =
        first.kind == PropertyKind::Integer || first.kind == PropertyKind::BigInteger;
    if (parts.size() == 1 && (isRowid || !isNumber)) {
      first.isIdentifier = true;
      if (isRowid && !columns[parts[0].second].initial.empty()) setOdd("a default of the rowid");
      return;
    }
    for (const auto& [position, at] : parts) table_.identifier.push_back(at);
  }

  void addUniques() {
    std::vector<std::string> names;
    forEachRow(database_,
               "select name from pragma_index_list(?1) where origin = 'u' order by seq desc",
               table_.name, [&names](const Execution& row) { names.push_back(textOf(row, 0)); });
    for (const std::string& name : names) {
      std::vector<std::size_t> columns;
      forEachRow(database_,
                 "select name, \"desc\", coll from pragma_index_xinfo(?1) where key = 1"
                 " order by seqno",
                 name, [&](const Execution& row) {
                   columns.push_back(indexOf(table_, row.column(0).bytes));
                   SS_CHECK(columns.back() < table_.columns.size(), table_.name);
                   const std::string& own = table_.columns[columns.back()].collation;
                   if (!isSameName(row.column(2).bytes, own.empty() ? "BINARY" : own)) {
                     setOdd("COLLATE in a key");
                   }
                 });
      // UNIQUE (a, a) is possible, and means a.
      if (std::set(columns.begin(), columns.end()).size() != columns.size()) setOdd("a key");
      if (columns.size() == 1) {
        table_.columns[columns[0]].isUniqueConstraint = true;
      } else {
        table_.uniques.push_back(std::move(columns));
      }
    }
  }

  void addChecks() {
    std::vector<PulledCheck> checks;
    std::vector<std::string> behind;
    for (WrittenCheck& check : text_.checks) {
      checks.push_back({.name = check.name, .expression = check.expression});
      behind.push_back(check.column);
    }
    std::vector<KnownChecks> known;
    for (const std::size_t at : table_.identifier) {
      keys_.insert(lowerCase(table_.columns[at].name));
    }
    for (PulledColumn& column : table_.columns) {
      known.emplace_back(table_, column, keys_.contains(lowerCase(column.name)));
    }
    std::vector<std::size_t> left;
    for (std::size_t at = 0; at < checks.size(); ++at) {
      const auto column = tryFindOnlyColumn(table_, checks[at].expression);
      if (!column || !known[*column].tryTake(checks[at])) left.push_back(at);
    }
    for (const std::size_t at : left) {
      const std::size_t column =
          behind[at].empty() ? table_.columns.size() : indexOf(table_, behind[at]);
      const bool isOwn = column < table_.columns.size() &&
                         (checks[at].name.empty() ||
                          checks[at].name.starts_with(
                              str(table_.name, '_', table_.columns[column].name, "_check_")));
      if (isOwn) {
        table_.columns[column].checks.push_back(std::move(checks[at].expression));
      } else {
        table_.checks.push_back(std::move(checks[at]));
      }
    }
  }

  void addInitial(const ReadColumn& read, PulledColumn& column) const {
    const std::string tokens = normal(read.initial);
    if (tokens.empty() || tokens == "null" || column.isIdentifier) {
      // An integer identifier has none; another may.
      const bool isNumber =
          column.kind == PropertyKind::Integer || column.kind == PropertyKind::BigInteger;
      if (tokens.empty() || tokens == "null" || isNumber) return;
    }
    if (column.kind == PropertyKind::Integer && !column.declared && column.bounds.empty() &&
        tokens == normal(kNowMilliseconds)) {
      column.kind = PropertyKind::Datetime;
    }
    column.initial = initialOf(column, read.initial);
  }

  Database& database_;
  const TableShape& shape_;
  CreateTable text_;
  std::map<std::string, Held> held_;
  std::set<std::string> keys_;
  PulledTable table_;
};

// Foreign keys, once all tables are known.
class KeyReader {
 public:
  KeyReader(Database& database, const std::vector<PulledTable>& tables)
      : database_(database), tables_(tables) {}

  void read(PulledTable& table, const TableShape& shape) const {
    const std::vector<WrittenKey> written = readTableText(shape.sql).foreignKeys;
    std::vector<Read> keys = readKeys(table.name);
    for (std::size_t at = 0; at < keys.size(); ++at) {
      auto key = tryResolve(table, keys[at]);
      if (!key) {
        table.oddity =
            table.oddity.empty() ? str("a reference to ", keys[at].parent) : table.oddity;
        table.statement = shape.sql;
        continue;
      }
      if (at < written.size()) {
        key->name = written[at].name;
        key->isDeferred = written[at].isDeferred;
      }
      table.foreignKeys.push_back(std::move(*key));
    }
  }

 private:
  struct Read {
    std::string parent, onUpdate, onDelete;
    std::vector<std::string> from, to;
  };

  // In the order in which they are written: SQLite counts from the end.
  std::vector<Read> readKeys(std::string_view table) const {
    std::vector<Read> keys;
    forEachRow(database_,
               "select seq, \"table\", \"from\", coalesce(\"to\", ''), on_update, on_delete"
               " from pragma_foreign_key_list(?1) order by id desc, seq",
               table, [&keys](const Execution& row) {
                 if (row.column(0).integer == 0) {
                   keys.push_back({.parent = textOf(row, 1),
                                   .onUpdate = lowerCase(row.column(4).bytes),
                                   .onDelete = lowerCase(row.column(5).bytes),
                                   .from = {},
                                   .to = {}});
                 }
                 keys.back().from.push_back(textOf(row, 2));
                 keys.back().to.push_back(textOf(row, 3));
               });
    return keys;
  }

  // Nothing for what the language refuses: it would fail when rows are written.
  std::optional<PulledKey> tryResolve(const PulledTable& table, const Read& read) const {
    const auto parent = std::ranges::find_if(
        tables_, [&read](const PulledTable& each) { return isSameName(each.name, read.parent); });
    if (parent == tables_.end()) return std::nullopt;
    PulledKey key{.name = {},
                  .columns = {},
                  .table = static_cast<std::size_t>(parent - tables_.begin()),
                  .targets = {},
                  .onDelete = read.onDelete == "no action" ? "" : read.onDelete,
                  .onUpdate = read.onUpdate == "no action" ? "" : read.onUpdate};
    for (const std::string& name : read.from) key.columns.push_back(indexOf(table, name));
    key.targets = targetsOf(*parent, read.to);
    if (key.targets.size() != key.columns.size() || !isUnique(*parent, key.targets)) {
      return std::nullopt;
    }
    for (std::size_t at = 0; at < key.columns.size(); ++at) {
      const PulledColumn& from = table.columns[key.columns[at]];
      const PulledColumn& to = parent->columns[key.targets[at]];
      const bool isFree = from.declared || to.declared;
      if (!isFree && storageOf(from.kind) != storageOf(to.kind)) return std::nullopt;
    }
    const std::set<std::size_t> columns(key.columns.begin(), key.columns.end());
    return columns.size() == key.columns.size() ? std::optional(std::move(key)) : std::nullopt;
  }

  static std::vector<std::size_t> targetsOf(const PulledTable& parent,
                                            const std::vector<std::string>& names) {
    std::vector<std::size_t> targets;
    if (std::ranges::all_of(names, [](const std::string& name) { return name.empty(); })) {
      targets = identifierOf(parent);
    } else {
      for (const std::string& name : names) {
        const std::size_t at = indexOf(parent, name);
        if (at < parent.columns.size()) targets.push_back(at);
      }
    }
    return targets;
  }

  static std::vector<std::size_t> identifierOf(const PulledTable& table) {
    for (std::size_t at = 0; at < table.columns.size(); ++at) {
      if (table.columns[at].isIdentifier) return {at};
    }
    return table.identifier;
  }

  static bool isUnique(const PulledTable& table, std::vector<std::size_t> columns) {
    std::ranges::sort(columns);
    const auto isIt = [&columns](std::vector<std::size_t> other) {
      std::ranges::sort(other);
      return other == columns;
    };
    if (isIt(identifierOf(table)) || std::ranges::any_of(table.uniques, isIt)) return true;
    if (columns.size() == 1) {
      const PulledColumn& column = table.columns[columns[0]];
      if (column.isUnique || column.isUniqueConstraint) return true;
    }
    return std::ranges::any_of(table.indexes, [&isIt](const PulledIndex& index) {
      std::vector<std::size_t> parts;
      for (const PulledIndex::Part& part : index.parts) {
        if (!part.column) return false;
        parts.push_back(*part.column);
      }
      return index.isUnique && index.where.empty() && isIt(std::move(parts));
    });
  }

  Database& database_;
  const std::vector<PulledTable>& tables_;
};

PulledIndex readIndex(const PulledTable& table, const IndexShape& shape) {
  const std::vector<PlacedToken> tokens = placedTokensOf(shape.sql);
  const auto on =
      std::ranges::find_if(tokens, [](const PlacedToken& each) { return each.token.isWord("on"); });
  SS_CHECK(tokens.end() - on > 3, shape.sql);
  PulledIndex index{.name = shape.name, .parts = {}, .where = {}, .isUnique = shape.unique};
  auto start = on + 3;  // ON table (
  int depth = 0;
  auto at = start;
  for (; at != tokens.end(); ++at) {
    const bool ends = depth == 0 && (at->token.isSymbol(',') || at->token.isSymbol(')'));
    if (ends) {
      auto end = at;
      if (end - start > 1 && (end - 1)->token.isWord("asc")) --end;
      const std::span<const PlacedToken> part(start, end);
      PulledIndex::Part& added = index.parts.emplace_back();
      added.expression = writtenText(part);
      if (part.size() == 1 && part[0].token.kind != Token::Kind::Other) {
        const std::size_t column = indexOf(table, part[0].token.name());
        if (column < table.columns.size()) added.column = column;
      }
      start = at + 1;
      if (at->token.isSymbol(')')) break;
    }
    if (at->token.isSymbol('(')) ++depth;
    if (at->token.isSymbol(')')) --depth;
  }
  // ) WHERE ...
  if (tokens.end() - at > 2) index.where = writtenText(std::span(at + 2, tokens.end()));
  return index;
}

// As the language calls an index of columns.
std::string usualName(const PulledTable& table, const PulledIndex& index, std::string_view suffix) {
  std::string name = table.name;
  for (const PulledIndex::Part& part : index.parts) {
    name += str('_', part.column ? table.columns[*part.column].name : "sql");
  }
  return str(name, '_', suffix);
}

void addIndex(PulledTable& table, PulledIndex index) {
  const bool isOne = index.parts.size() == 1 && index.parts[0].column && index.where.empty();
  const std::string usual = usualName(table, index, index.isUnique ? "unique" : "index");
  if (isOne && index.name == usual) {
    PulledColumn& column = table.columns[*index.parts[0].column];
    // unique() is the constraint or the index.
    if (!index.isUnique) {
      column.isIndexed = true;
      return;
    }
    if (!column.isUniqueConstraint) {
      column.isUnique = true;
      return;
    }
  }
  table.indexes.push_back(std::move(index));
}

std::string searchNameOf(const PulledTable& table) { return str(table.name, "_search"); }

// The FTS5 table and the triggers of `search: [...]`, each as the language writes it, normalised.
std::vector<std::string> searchTexts(const PulledTable& table, const std::string& id,
                                     const std::vector<std::string>& columns) {
  std::string names;
  std::string news;
  std::string olds;
  for (const std::string& column : columns) {
    names += str(names.empty() ? "" : ", ", quotedName(column));
    news += str(", new.", quotedName(column));
    olds += str(", old.", quotedName(column));
  }
  const std::string index = quotedName(searchNameOf(table));
  const std::string owner = quotedName(table.name);
  const std::string key = quotedName(id);
  const std::string insert =
      str("INSERT INTO ", index, " (rowid, ", names, ") VALUES (new.", key, news, ");");
  const std::string remove = str("INSERT INTO ", index, " (", index, ", rowid, ", names,
                                 ") VALUES ('delete', old.", key, olds, ");");
  const auto text = [](const std::string& sql) { return normal(sql); };
  return {text(str("USING fts5(", names, ", content=", textConstant(table.name),
                   ", content_rowid=", textConstant(id), ")")),
          text(str("AFTER INSERT ON ", owner, " BEGIN ", insert, " END")),
          text(str("AFTER DELETE ON ", owner, " BEGIN ", remove, " END")),
          text(str("AFTER UPDATE OF ", key, ", ", names, " ON ", owner, " BEGIN ", remove, ' ',
                   insert, " END"))};
}

const Definition* tryFind(const std::vector<Definition>& all, std::string_view name) {
  const auto found =
      std::ranges::find_if(all, [name](const Definition& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// Makes `search: [...]` of the FTS5 table of a table, where that says all of it and of its
// triggers. Answers the names of what it stands for.
std::set<std::string> takeSearch(PulledTable& table, const Schema& schema) {
  const std::string name = searchNameOf(table);
  const Definition* const search = tryFind(schema.virtualTables, name);
  const auto id = std::ranges::find_if(table.columns, [](const PulledColumn& column) {
    return column.isIdentifier && storageOf(column.kind) == "INTEGER";
  });
  if (search == nullptr || table.isWithoutRowid || id == table.columns.end()) return {};
  std::vector<std::size_t> columns;
  std::vector<std::string> names;
  const std::vector<Token> tokens = tokensOf(search->text);
  for (std::size_t at = 3; at + 1 < tokens.size(); at += 2) {
    const std::size_t column = indexOf(table, tokens[at].name());
    if (column == table.columns.size() || tokens[at + 1].isSymbol('=')) break;
    columns.push_back(column);
    names.push_back(table.columns[column].name);
  }
  const bool isText = std::ranges::all_of(columns, [&table](std::size_t at) {
    const std::string lower = lowerCase(table.columns[at].name);
    return table.columns[at].kind == PropertyKind::Text && lower != "rank" && lower != "rowid";
  });
  const std::set<std::size_t> distinct(columns.begin(), columns.end());
  if (columns.empty() || !isText || distinct.size() != columns.size()) return {};
  const std::vector<std::string> texts = searchTexts(table, id->name, names);
  if (search->text != texts[0]) return {};
  std::set<std::string> taken{lowerCase(name)};
  std::size_t at = 1;
  for (const char* event : {"insert", "delete", "update"}) {
    const Definition* const trigger = tryFind(schema.triggers, str(name, '_', event));
    if (trigger == nullptr || trigger->text != texts[at++]) return {};
    taken.insert(lowerCase(trigger->name));
  }
  table.search = std::move(columns);
  return taken;
}

// Nothing for one that only a statement can say.
std::optional<PulledView> tryReadView(Database& database, const Definition& view) {
  const std::vector<PlacedToken> tokens = placedTokensOf(view.sql);
  std::size_t at = 3;  // CREATE VIEW name
  PulledView pulled{.name = view.name, .variable = {}, .columns = {}, .query = {}};
  std::vector<std::string> listed;
  if (at < tokens.size() && tokens[at].token.isSymbol('(')) {
    for (++at; at < tokens.size() && !tokens[at].token.isSymbol(')'); ++at) {
      if (tokens[at].token.isSymbol(',')) continue;
      if (tokens[at].token.kind == Token::Kind::Other) return std::nullopt;
      listed.push_back(tokens[at].token.name());
    }
    ++at;
    pulled.hasColumnList = true;
  }
  if (at + 1 >= tokens.size() || !tokens[at].token.isWord("as")) return std::nullopt;
  const char* const begin = tokens[at + 1].text.data();
  pulled.query = std::string(begin, view.sql.data() + view.sql.size());
  Identifiers keys(Identifiers::Of::Columns);
  for (const ReadColumn& read : readColumns(database, view.name)) {
    PulledColumn column{.name = read.name, .key = keys.nameFor(read.name)};
    column.kind = tryAffinity(read.type).value_or(PropertyKind::Any);
    if (column.name.empty()) return std::nullopt;
    pulled.columns.push_back(std::move(column));
  }
  const bool isListed = std::ranges::equal(listed, pulled.columns,
                                           [](const std::string& name, const PulledColumn& column) {
                                             return isSameName(name, column.name);
                                           });
  if (pulled.columns.empty() || (pulled.hasColumnList && !isListed)) return std::nullopt;
  return pulled;
}

}  // namespace

Pulled readPulled(Database& database, const Schema& schema) {
  Pulled pulled;
  Identifiers variables(Identifiers::Of::Tables);
  for (const TableShape& shape : schema.tables) {
    pulled.tables.push_back(TableReader(database, shape, variables.nameFor(shape.name)).read());
    PulledTable& table = pulled.tables.back();
    for (const IndexShape& index : schema.indexes) {
      if (isSameName(index.table, table.name)) addIndex(table, readIndex(table, index));
    }
  }
  const KeyReader keys(database, pulled.tables);
  for (std::size_t at = 0; at < pulled.tables.size(); ++at) {
    keys.read(pulled.tables[at], schema.tables[at]);
  }
  std::set<std::string> searches;
  for (PulledTable& table : pulled.tables) searches.merge(takeSearch(table, schema));
  for (const Definition& virtualTable : schema.virtualTables) {
    if (!searches.contains(lowerCase(virtualTable.name)))
      pulled.statements.push_back(virtualTable.sql);
  }
  for (const Definition& view : schema.views) {
    if (auto read = tryReadView(database, view)) {
      read->variable = variables.nameFor(view.name);
      pulled.views.push_back(std::move(*read));
    } else {
      pulled.statements.push_back(view.sql);
    }
  }
  for (const Definition& trigger : schema.triggers) {
    if (!searches.contains(lowerCase(trigger.name))) pulled.statements.push_back(trigger.sql);
  }
  return pulled;
}

}  // namespace schemascript
