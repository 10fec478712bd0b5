// What a database has, written down as TypeScript.
#include "migrate/pull.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "bridge/text.h"
#include "migrate/desired.h"
#include "migrate/pulled.h"
#include "migrate/tokens.h"
#include "migrate/typescript.h"

namespace schemascript {
namespace {

using std::string_view_literals::operator""sv;
using Texts = std::vector<std::string>;

constexpr std::size_t kLineMax = 100;

std::string sqlOf(std::string_view text) { return str("sql", templateLiteral(text)); }

std::string joined(const Texts& texts, std::string_view separator) {
  std::string all;
  for (const std::string& text : texts) {
    if (!all.empty()) all += separator;
    all += text;
  }
  return all;
}

std::string indented(std::string_view indent, std::string_view text) {
  return str(indent, text, '\n');
}

// `open a, b close`, on one line if that is not too long for what stands before and behind it.
std::string list(std::string_view indent, std::size_t around, std::string_view open,
                 const Texts& texts, std::string_view close) {
  if (texts.empty()) return str(open, close);
  const bool isBlock = open.ends_with('{');
  const std::string_view blank = isBlock ? " " : "";
  const std::string line = str(open, blank, joined(texts, ", "), blank, close);
  if (indent.size() + around + line.size() <= kLineMax && line.find('\n') == std::string::npos) {
    return line;
  }
  std::string lines = str(open, '\n');
  for (const std::string& text : texts) lines += indented(indent, str("  ", text, ","));
  return str(lines, indent, close);
}

// `name: value`, where `name` may be anything.
std::string keyed(const std::string& name, std::string_view value) {
  const bool isWord = !name.empty() && (name[0] < '0' || name[0] > '9') && name != "__proto__" &&
                      std::ranges::all_of(name, [](char c) {
                        return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                               (c >= 'A' && c <= 'Z');
                      });
  // As a key in brackets, none has a meaning of its own.
  return str(isWord ? name : str("[", stringLiteral(name), "]"), ": ", value);
}

class Writer {
 public:
  explicit Writer(const Pulled& pulled) : pulled_(pulled) {}

  std::string write(const std::vector<LeftOut>& leftOut) {
    std::string body;
    for (const PulledTable& table : pulled_.tables) body += str('\n', tableText(table));
    for (const PulledView& view : pulled_.views) body += str('\n', viewText(view));
    for (const std::string& statement : pulled_.statements) {
      body += str("\nStatement(", useSql(statement), ");\n");
    }
    std::string text = "// Written by schemascript pull. It is yours: change it as you like.\n";
    for (const LeftOut& each : leftOut) {
      text += str("// Left out: ", each.what, ": ", each.why, '\n');
    }
    if (usesSql_) text += "import { sql } from \"drizzle-orm\";\n";
    text += importText();
    if (usesStored_) {
      text += "\n// What a column holds whose type is not known.\n";
      text += "type Stored = number | bigint | string | Uint8Array;\n";
    }
    return text + body;
  }

 private:
  std::string importText() const {
    Texts names;
    if (!pulled_.statements.empty()) names.emplace_back("Statement");
    if (!pulled_.tables.empty()) names.emplace_back("Table");
    if (usesValue_) names.emplace_back("value");
    if (!pulled_.views.empty()) names.emplace_back("View");
    if (names.empty()) return "export {};\n";
    return str("import { ", joined(names, ", "), " } from \"schemascript\";\n");
  }

  std::string useSql(std::string_view text) {
    usesSql_ = true;
    return sqlOf(text);
  }

  std::string keyOf(const PulledTable& table, std::size_t column) const {
    return stringLiteral(table.columns[column].key);
  }
  Texts keysOf(const PulledTable& table, const std::vector<std::size_t>& columns) const {
    Texts keys;
    for (const std::size_t column : columns) keys.push_back(keyOf(table, column));
    return keys;
  }

  // `prop.text("user_name")`
  std::string typeText(const PulledColumn& column) {
    const std::string name = column.key == column.name ? "" : stringLiteral(column.name);
    const std::string before = name.empty() ? "" : str(name, ", ");
    switch (column.kind) {
      case PropertyKind::Integer:
        return str("integer(", name, ")");
      case PropertyKind::BigInteger:
        return str("integer(", before, "{ mode: \"bigint\" })");
      case PropertyKind::Real:
        return str("real(", name, ")");
      case PropertyKind::Text:
        return str("text(", name, ")");
      case PropertyKind::Blob:
        return str("blob(", name, ")");
      case PropertyKind::Boolean:
        return str("boolean(", name, ")");
      case PropertyKind::Datetime:
        return str("datetime(", name, ")");
      case PropertyKind::Node:
        return str("node<unknown>(", name, ")");
      case PropertyKind::NodeList:
        return str("node<unknown>(", name, ").array()");
      case PropertyKind::Enum: {
        Texts options;
        for (const std::string& option : column.options) options.push_back(stringLiteral(option));
        return str("enum(", before, "{ options: [", joined(options, ", "), "] })");
      }
      case PropertyKind::Any:
        usesStored_ = true;
        return str("custom<Stored>(\"any\"", name.empty() ? "" : str(", { name: ", name, " }"),
                   ")");
    }
    return {};
  }

  // The calls behind `prop`.
  Texts callsOf(const PulledColumn& column, const PulledTable* table) {
    Texts calls{typeText(column)};
    const auto add = [&calls](const std::string& call) { calls.push_back(call); };
    if (column.declared) add(str("declaredAs(", stringLiteral(*column.declared), ")"));
    if (!column.collation.empty()) {
      add(str("collate(", stringLiteral(lowerCase(column.collation)), ")"));
    }
    if (column.isIdentifier) {
      const bool isCounted = table != nullptr && table->isAutoincrement;
      add(isCounted ? "identifier({ autoIncrement: true })" : "identifier()");
    }
    if (!column.isRequired) add("optional()");
    if (column.hasNoNotNull) add("withoutNotNull()");
    if (column.isUniqueConstraint) {
      add("unique({ constraint: true })");
    } else if (column.isUnique) {
      add("unique()");
    }
    if (column.isIndexed) add("index()");
    if (!column.initial.empty()) {
      usesValue_ |= column.initial.starts_with("value.");
      usesSql_ |= column.initial.starts_with("sql`");
      add(str("default(", column.initial, ")"));
    }
    if (!column.generated.empty()) {
      add(str("generated(", useSql(column.generated), column.isStored ? ", { stored: true }" : "",
              ")"));
    }
    for (const std::string& bound : column.bounds) add(bound.substr(1));
    for (const std::string& check : column.checks) add(str("check(", useSql(check), ")"));
    return calls;
  }

  static std::string chain(std::string_view indent, const std::string& key, const Texts& calls) {
    const std::string line = str(indent, key, ": prop.", joined(calls, "."), ",\n");
    // Prettier breaks chains of three with more than plain values among them, however short.
    const bool isPlain = std::ranges::none_of(calls, [](const std::string& call) {
      return call.starts_with("references(") || call.starts_with("enum(") ||
             call.find("sql`") != std::string::npos;
    });
    const bool isShort = calls.size() < 3 || isPlain;
    if (line.size() <= kLineMax + 1 && isShort) return line;
    std::string lines = str(indent, key, ": prop");
    for (const std::string& call : calls) lines += str('\n', indent, "  .", call);
    return str(lines, ",\n");
  }

  Texts actionsOf(const PulledKey& key) const {
    Texts options;
    if (!key.onDelete.empty()) options.push_back(str("onDelete: ", stringLiteral(key.onDelete)));
    if (!key.onUpdate.empty()) options.push_back(str("onUpdate: ", stringLiteral(key.onUpdate)));
    if (key.isDeferred) options.emplace_back("deferred: true");
    return options;
  }

  std::string targetOf(const PulledKey& key, std::size_t at) const {
    const PulledTable& table = pulled_.tables[key.table];
    return str(table.variable, '.', table.columns[key.targets[at]].key);
  }

  std::string referenceText(const PulledKey& key) const {
    const Texts options = actionsOf(key);
    return str("references(() => ", targetOf(key, 0),
               options.empty() ? "" : str(", { ", joined(options, ", "), " }"), ")");
  }

  std::string columnsText(const PulledTable& table, std::string_view indent) {
    std::string text;
    std::set<std::size_t> referring;
    for (std::size_t at = 0; at < table.columns.size(); ++at) {
      Texts calls = callsOf(table.columns[at], &table);
      for (const PulledKey& key : table.foreignKeys) {
        if (isOfColumn(key) && key.columns[0] == at && referring.insert(at).second) {
          calls.push_back(referenceText(key));
        }
      }
      text += chain(indent, table.columns[at].key, calls);
    }
    return text;
  }

  // Whether the column itself can say it.
  static bool isOfColumn(const PulledKey& key) { return key.columns.size() == 1; }

  std::string tableText(const PulledTable& table) {
    const std::string head = str("export const ", table.variable, " = Table(");
    const std::string name = stringLiteral(table.name);
    const Texts extras = extrasOf(table);
    if (extras.empty()) {
      return str(head, name, ", (prop) => ({\n", columnsText(table, "  "), "}));\n");
    }
    std::string text =
        str(head, "\n  ", name, ",\n  (prop) => ({\n", columnsText(table, "    "), "  }),\n");
    const std::string line = str("  { ", joined(extras, ", "), " },\n");
    if (line.size() <= kLineMax && line.find('\n') == line.size() - 1) {
      text += line;
    } else {
      text += "  {\n";
      for (const std::string& extra : extras) text += str("    ", extra, ",\n");
      text += "  },\n";
    }
    return str(text, ");\n");
  }

  Texts extrasOf(const PulledTable& table) {
    constexpr std::string_view kIndent = "    ";
    Texts extras;
    if (!table.isStrict) extras.emplace_back("strict: false");
    if (table.isWithoutRowid) extras.emplace_back("withoutRowid: true");
    if (!table.identifier.empty()) {
      extras.push_back(
          str("identifier: ", list(kIndent, 12, "[", keysOf(table, table.identifier), "]")));
    }
    add(extras, "unique", uniquesOf(table));
    add(extras, "indexes", indexesOf(table));
    addChecks(extras, table);
    add(extras, "foreignKeys", foreignKeysOf(table));
    if (!table.search.empty()) {
      extras.push_back(str("search: ", list(kIndent, 8, "[", keysOf(table, table.search), "]")));
    }
    if (!table.statement.empty()) extras.push_back(str("statement: ", useSql(table.statement)));
    return extras;
  }

  static void add(Texts& extras, std::string_view name, const Texts& each) {
    if (each.empty()) return;
    extras.push_back(str(name, ": ", list("    ", name.size() + 2, "[", each, "]")));
  }

  Texts uniquesOf(const PulledTable& table) const {
    Texts uniques;
    for (const auto& columns : table.uniques) {
      uniques.push_back(
          str("{ on: [", joined(keysOf(table, columns), ", "), "], constraint: true }"));
    }
    for (const PulledIndex& index : table.indexes) {
      if (!isUsualUnique(table, index)) continue;
      Texts keys;
      for (const PulledIndex::Part& part : index.parts) keys.push_back(keyOf(table, *part.column));
      uniques.push_back(str("[", joined(keys, ", "), "]"));
    }
    return uniques;
  }

  // Whether `unique: [[...]]` says all of it.
  static bool isUsualUnique(const PulledTable& table, const PulledIndex& index) {
    std::string usual = table.name;
    std::set<std::size_t> columns;
    for (const PulledIndex::Part& part : index.parts) {
      if (!part.column || !columns.insert(*part.column).second) return false;
      usual += str('_', table.columns[*part.column].name);
    }
    return index.isUnique && index.where.empty() && index.name == str(usual, "_unique") &&
           index.parts.size() > 1;
  }

  Texts indexesOf(const PulledTable& table) {
    Texts indexes;
    for (const PulledIndex& index : table.indexes) {
      if (isUsualUnique(table, index)) continue;
      Texts parts;
      for (const PulledIndex::Part& part : index.parts) {
        parts.push_back(part.column ? keyOf(table, *part.column) : useSql(part.expression));
      }
      Texts fields{str("on: [", joined(parts, ", "), "]")};
      if (index.isUnique) fields.emplace_back("unique: true");
      if (!index.where.empty()) fields.push_back(str("where: ", useSql(index.where)));
      fields.push_back(str("name: ", stringLiteral(index.name)));
      indexes.push_back(list("      ", 1, "{", fields, "}"));
    }
    return indexes;
  }

  // By name, unless none has one. No two may have the same, nor that of an index.
  void addChecks(Texts& extras, const PulledTable& table) {
    if (table.checks.empty()) return;
    std::set<std::string> taken;
    for (const PulledIndex& index : table.indexes) taken.insert(lowerCase(index.name));
    for (const PulledColumn& column : table.columns) {
      taken.insert(lowerCase(str(table.name, '_', column.name, "_unique")));
      taken.insert(lowerCase(str(table.name, '_', column.name, "_index")));
    }
    Texts checks;
    for (const PulledCheck& check : table.checks) {
      std::string name = check.name.empty() ? str(table.name, "_check") : check.name;
      for (int number = 1; !taken.insert(lowerCase(name)).second; ++number) {
        name = str(check.name.empty() ? str(table.name, "_check") : check.name, '_', number);
      }
      checks.push_back(keyed(name, useSql(check.expression)));
    }
    extras.push_back(str("checks: ", list("    ", 8, "{", checks, "}")));
  }

  Texts foreignKeysOf(const PulledTable& table) {
    Texts keys;
    std::set<std::size_t> referring;
    for (const PulledKey& key : table.foreignKeys) {
      if (isOfColumn(key) && referring.insert(key.columns[0]).second) continue;
      Texts targets;
      for (std::size_t at = 0; at < key.targets.size(); ++at) targets.push_back(targetOf(key, at));
      Texts fields{str("columns: [", joined(keysOf(table, key.columns), ", "), "]"),
                   str("references: () => [", joined(targets, ", "), "]")};
      for (std::string& option : actionsOf(key)) fields.push_back(std::move(option));
      if (!key.name.empty()) fields.push_back(str("name: ", stringLiteral(key.name)));
      keys.push_back(list("      ", 1, "{", fields, "}"));
    }
    return keys;
  }

  std::string viewText(const PulledView& view) {
    std::string text = str("export const ", view.variable, " = View(\n  ", stringLiteral(view.name),
                           ",\n  (prop) => ({\n");
    for (const PulledColumn& column : view.columns) {
      text += chain("    ", column.key, callsOf(column, nullptr));
    }
    return str(text, "  }),\n  ", useSql(view.query), ",\n",
               view.hasColumnList ? "  { columnList: true },\n" : "", ");\n");
  }

  const Pulled& pulled_;
  bool usesSql_ = false;
  bool usesStored_ = false;
  bool usesValue_ = false;
};

// Something of a schema that has a statement of its own.
struct Part {
  std::string kind;  // `table`
  std::string name;
  std::string sql;
};

std::string shownName(const Part& part) {
  return str(part.kind, ' ',
             isUtf8(part.name) ? stringLiteral(part.name) : "whose name is not UTF-8");
}

// A sentence of SQLite's, which may have names in it, on one line of a comment.
std::string shownReason(std::string_view reason) {
  if (!isUtf8(reason)) return "SQLite does not take it";
  const std::string literal = stringLiteral(reason);
  std::string text;
  for (const char letter : std::string_view(literal).substr(1, literal.size() - 2)) {
    text += letter;
    if (text.ends_with("\\\"")) text.replace(text.size() - 2, 2, "\"");
  }
  return text;
}

// In the order in which one may need the others.
std::vector<Part> partsOf(const Schema& schema) {
  std::vector<Part> parts;
  for (const TableShape& each : schema.tables) parts.push_back({"table", each.name, each.sql});
  for (const Definition& each : schema.virtualTables) {
    parts.push_back({"virtual table", each.name, each.sql});
  }
  for (const IndexShape& each : schema.indexes) parts.push_back({"index", each.name, each.sql});
  for (const Definition& each : schema.views) parts.push_back({"view", each.name, each.sql});
  for (const Definition& each : schema.triggers) parts.push_back({"trigger", each.name, each.sql});
  return parts;
}

// Why the language cannot have it whatever its statement is; empty if it can.
std::string unsayable(const Part& part, const Schema& schema) {
  if (!isUtf8(part.sql) || !isUtf8(part.name)) return "its text is not UTF-8";
  if (part.kind != "table") return {};
  if (part.name.empty()) return "it has no name";
  for (const TableShape& table : schema.tables) {
    if (table.name != part.name) continue;
    const auto isNameless = [](const ColumnShape& column) { return column.name.empty(); };
    if (std::ranges::any_of(table.columns, isNameless)) return "one of its columns has no name";
  }
  return {};
}

// What a virtual table of a module other than fts5 keeps: tables that are nothing without it.
bool isShadowOf(const Part& part, const std::set<std::string>& virtualTables) {
  constexpr std::array kSuffixes{"_config"sv, "_content"sv,  "_data"sv,   "_docsize"sv,
                                 "_idx"sv,    "_node"sv,     "_parent"sv, "_rowid"sv,
                                 "_segdir"sv, "_segments"sv, "_stat"sv};
  const std::string name = lowerCase(part.name);
  return part.kind == "table" && std::ranges::any_of(kSuffixes, [&](std::string_view suffix) {
           return name.ends_with(suffix) &&
                  virtualTables.contains(name.substr(0, name.size() - suffix.size()));
         });
}

std::set<std::string> modulesOf(const Schema& schema) {
  std::set<std::string> names;
  for (const Definition& each : schema.virtualTables) {
    if (!each.text.starts_with("using fts5")) names.insert(lowerCase(each.name));
  }
  return names;
}

// What a schema can have of the database's own: what readDesired() takes.
class Chooser {
 public:
  Chooser(Database& database, const Schema& schema) : database_(database), schema_(schema) {}

  std::vector<LeftOut> choose() {
    const std::set<std::string> modules = modulesOf(schema_);
    std::vector<Part> parts;
    for (Part& part : partsOf(schema_)) {
      std::string why = unsayable(part, schema_);
      if (isShadowOf(part, modules)) why = "it is a part of a virtual table";
      if (why.empty()) {
        parts.push_back(std::move(part));
      } else {
        leaveOut(part, why);
      }
    }
    // As a rule, all of them are good.
    if (tryRead(textOf(parts)).empty()) return std::move(leftOut_);
    chooseOneByOne(std::move(parts));
    return std::move(leftOut_);
  }

  bool isLeftOut(std::string_view kind, std::string_view name) const {
    return left_.contains(str(kind, ' ', lowerCase(name)));
  }

 private:
  static std::string textOf(const std::vector<Part>& parts) {
    std::string sql;
    for (const Part& part : parts) sql += str(part.sql, "\n;\n");
    return sql;
  }

  void leaveOut(const Part& part, std::string_view why) {
    left_.insert(str(part.kind, ' ', lowerCase(part.name)));
    leftOut_.push_back({.what = shownName(part), .why = std::string(why)});
  }

  // Why it is not taken; empty if it is.
  std::string tryRead(const std::string& sql) const {
    try {
      readDesired(sql, database_);
      return {};
    } catch (const Error& error) {
      if (error.code() == ErrorCode::LimitExceeded || error.code() == ErrorCode::Internal) throw;
      return error.message();
    }
  }

  // A view may read one that was made after it, so that whoever fails is tried again as long as
  // there is something new.
  void chooseOneByOne(std::vector<Part> parts) {
    std::vector<Part> taken;
    for (std::size_t before = parts.size() + 1; parts.size() < before;) {
      before = parts.size();
      failed_.clear();
      take(parts, taken);
      parts.clear();
      for (const auto& [part, why] : failed_) parts.push_back(part);
    }
    for (const auto& [part, why] : failed_) {
      const std::string subject = str(part.kind, ' ', part.name, ": ");
      leaveOut(part, shownReason(why.starts_with(subject) ? why.substr(subject.size()) : why));
    }
  }

  // Halves what does not go together: few fail, of many.
  void take(std::span<const Part> parts, std::vector<Part>& taken) {
    if (parts.empty()) return;
    taken.insert(taken.end(), parts.begin(), parts.end());
    const std::string why = tryRead(textOf(taken));
    if (why.empty()) return;
    taken.resize(taken.size() - parts.size());
    if (parts.size() == 1) {
      failed_.emplace_back(parts[0], why);
      return;
    }
    take(parts.first(parts.size() / 2), taken);
    take(parts.subspan(parts.size() / 2), taken);
  }

  Database& database_;
  const Schema& schema_;
  std::set<std::string> left_;
  std::vector<LeftOut> leftOut_;
  std::vector<std::pair<Part, std::string>> failed_;  // With the reason.
};

Schema without(const Chooser& chooser, Schema schema) {
  std::erase_if(schema.tables,
                [&](const TableShape& each) { return chooser.isLeftOut("table", each.name); });
  std::erase_if(schema.indexes,
                [&](const IndexShape& each) { return chooser.isLeftOut("index", each.name); });
  const auto erase = [&chooser](std::vector<Definition>& all, std::string_view kind) {
    std::erase_if(all, [&](const Definition& each) { return chooser.isLeftOut(kind, each.name); });
  };
  erase(schema.virtualTables, "virtual table");
  erase(schema.views, "view");
  erase(schema.triggers, "trigger");
  return schema;
}

// A transaction that ends with the object, in which the database stays as it is.
class Reading {
 public:
  explicit Reading(Database& database) : database_(database) {
    database_.execute("begin", Rules::Host);
  }
  ~Reading() { database_.rollbackOrAbandon(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  Database& database_;
};

}  // namespace

PulledSchema pull(Database& database) {
  const Reading reading(database);
  const Schema all = readSchema(database);
  Chooser chooser(database, all);
  std::vector<LeftOut> leftOut = chooser.choose();
  Schema schema = without(chooser, all);
  const Pulled pulled = readPulled(database, schema);
  return {.text = Writer(pulled).write(leftOut),
          .leftOut = std::move(leftOut),
          .schema = std::move(schema)};
}

}  // namespace schemascript
