// Plans by doing: each statement is carried out on an empty database in memory, and what comes next
// follows from what SQLite then says of it.
#include "migrate/plan.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "migrate/rows.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

using Names = std::set<std::string>;  // In lower case.

const ColumnShape* tryFindColumn(const TableShape& table, std::string_view name) {
  const auto found = std::ranges::find_if(
      table.columns, [name](const ColumnShape& column) { return isSameName(column.name, name); });
  return found == table.columns.end() ? nullptr : &*found;
}

const TableShape* tryFindTable(const Schema& schema, std::string_view name) {
  const auto found = std::ranges::find_if(
      schema.tables, [name](const TableShape& table) { return isSameName(table.name, name); });
  return found == schema.tables.end() ? nullptr : &*found;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// `INTEGER NOT NULL` -> `INTEGER`
std::string typeOf(const ColumnShape& column) {
  return column.description.substr(0, column.description.find(' '));
}

bool isGenerated(const ColumnShape& column) {
  return has(column.description, " AS (") || column.description.starts_with("AS (");
}
bool isStored(const ColumnShape& column) { return has(column.description, " STORED"); }
bool isKey(const ColumnShape& column) { return has(column.description, " PRIMARY KEY"); }
bool isRequired(const ColumnShape& column) { return has(column.description, " NOT NULL"); }

// ` DEFAULT 'a'` -> `'a'`; empty without one.
std::string defaultOf(Database& database, std::string_view table, std::string_view column) {
  std::string text;
  Statement statement = database.prepare(
      "select dflt_value from pragma_table_xinfo(?1) where name = ?2 collate nocase", Rules::Host);
  const std::array<ValueView, 2> values{ValueView::ofText(table), ValueView::ofText(column)};
  Execution execution(statement, values);
  if (execution.step()) text = textOf(execution, 0);
  return text;
}

bool isWithoutRowid(const TableShape& table) {
  return std::ranges::find(table.options, "WITHOUT ROWID") != table.options.end();
}

bool areAlike(const TableShape& one, const TableShape& other) {
  Schema wanted;
  Schema present;
  wanted.tables = {one};
  present.tables = {other};
  present.tables.front().name = one.name;
  return differencesBetween(wanted, present).empty();
}

bool mentions(std::string_view sql, const Names& names) {
  const std::vector<Token> tokens = tokensOf(sql);
  return std::ranges::any_of(tokens,
                             [&names](const Token& token) { return names.contains(token.name()); });
}

const Definition* tryFindSame(const std::vector<Definition>& definitions,
                              const Definition& wanted) {
  const auto found = std::ranges::find_if(definitions, [&wanted](const Definition& each) {
    return isSameName(each.name, wanted.name) && each.text == wanted.text;
  });
  return found == definitions.end() ? nullptr : &*found;
}

// A table of the first schema, and what becomes of it.
struct Match {
  const TableShape* from = nullptr;
  const TableShape* to = nullptr;  // Null: it goes.
  // New names of columns by their old ones, in lower case.
  std::vector<std::pair<std::string, std::string>> columns;

  bool isRenamed() const { return to != nullptr && lowerCase(from->name) != lowerCase(to->name); }
  bool isTouched() const {
    return to == nullptr || isRenamed() || !columns.empty() || !areAlike(*to, *from);
  }
};

// One column of a rebuild.
struct Copy {
  const TableShape& wanted;
  const ColumnShape& column;
  const ColumnShape& source;
  std::string initial;  // As Planner::initialOf() has it.
};

class Planner {
 public:
  // `inTheWay`: views and triggers, in lower case, that have to go until the end.
  Planner(const Schema& from, const Schema& to, const PlanOptions& options, const Names& inTheWay)
      : from_(from), to_(to), options_(options), inTheWay_(inTheWay), scratch_({}) {
    scratch_.execute("pragma foreign_keys = off", Rules::Host);
    for (const TableShape& table : from.tables) create(table.sql);
    for (const IndexShape& index : from.indexes) create(index.sql);
    for (const auto* definitions : {&from.virtualTables, &from.views, &from.triggers}) {
      for (const Definition& each : *definitions) create(each.sql);
    }
    if (options.kept != nullptr) {
      for (const std::string& statement : options.kept->statements) create(statement);
    }
    matchTables();
  }

  Plan plan() {
    dropDefinitions();
    dropTables();
    renameTables();
    renameColumns();
    dropIndexes();
    for (const TableShape& table : to_.tables) changeOrCreate(table);
    createRest();
    check();
    return std::move(plan_);
  }

 private:
  using Statements = std::vector<std::string>;

  void create(const std::string& sql) { scratch_.execute(sql, Rules::Host); }

  void step(StepKind kind, std::string subject, std::string why, Statements statements,
            std::vector<std::string> losses = {}) {
    for (const std::string& statement : statements) create(statement);
    plan_.steps.push_back(
        {kind, std::move(subject), std::move(why), std::move(statements), std::move(losses)});
  }

  std::optional<std::string> tryOldName(std::string_view table, std::string_view column) const {
    for (const Rename& rename : options_.renames) {
      if (isSameName(rename.table, table) && isSameName(rename.column, column)) return rename.was;
    }
    return std::nullopt;
  }

  void matchTables() {
    std::set<const TableShape*> taken;
    for (const TableShape& table : to_.tables) {
      const TableShape* source = tryFindTable(from_, table.name);
      if (source == nullptr) {
        const auto was = tryOldName(table.name, "");
        if (was) source = tryFindTable(from_, *was);
        // It is wanted as what it is called.
        if (source != nullptr && tryFindTable(to_, source->name) != nullptr) source = nullptr;
      }
      if (source == nullptr || !taken.insert(source).second) continue;
      matches_.push_back({source, &table, renamedColumns(*source, table)});
    }
    for (const TableShape& table : from_.tables) {
      if (!taken.contains(&table)) matches_.push_back({&table, nullptr, {}});
    }
    for (const Match& match : matches_) {
      if (!match.isTouched()) continue;
      touched_.insert(lowerCase(match.from->name));
      if (match.to != nullptr) touched_.insert(lowerCase(match.to->name));
    }
  }

  std::vector<std::pair<std::string, std::string>> renamedColumns(const TableShape& from,
                                                                  const TableShape& to) const {
    std::vector<std::pair<std::string, std::string>> renamed;
    Names taken;
    for (const ColumnShape& column : to.columns) {
      if (tryFindColumn(from, column.name) != nullptr) continue;
      const auto was = tryOldName(to.name, column.name);
      const ColumnShape* const source = was ? tryFindColumn(from, *was) : nullptr;
      if (source == nullptr || tryFindColumn(to, source->name) != nullptr) continue;
      if (taken.insert(lowerCase(source->name)).second) {
        renamed.emplace_back(source->name, column.name);
      }
    }
    return renamed;
  }

  // Triggers and views are in the way of what changes, and compiled anew when it has.
  void dropDefinitions() {
    for (const Definition& search : from_.virtualTables) {
      if (tryFindSame(to_.virtualTables, search) == nullptr) gone_.insert(lowerCase(search.name));
    }
    Names changed = touched_;
    changed.insert(gone_.begin(), gone_.end());
    std::set<const Definition*> views;
    for (bool isMore = true; isMore;) {
      isMore = false;
      for (const Definition& view : from_.views) {
        const bool goes = tryFindSame(to_.views, view) == nullptr || mentions(view.sql, changed) ||
                          inTheWay_.contains(lowerCase(view.name));
        if (!goes || !views.insert(&view).second) continue;
        changed.insert(lowerCase(view.name));
        isMore = true;
      }
    }
    for (const Definition& trigger : from_.triggers) {
      const bool isWanted = tryFindSame(to_.triggers, trigger) != nullptr;
      const bool isInTheWay =
          mentions(trigger.sql, changed) || inTheWay_.contains(lowerCase(trigger.name));
      if (isWanted && !isInTheWay) continue;
      step(StepKind::Safe, str("trigger ", trigger.name),
           isWanted ? "it is in the way of what changes, and is created anew below"
                    : "it is not wanted",
           {str("DROP TRIGGER ", quotedName(trigger.name))});
    }
    // Those that read others before those.
    for (auto view = from_.views.rbegin(); view != from_.views.rend(); ++view) {
      if (!views.contains(&*view)) continue;
      const bool isWanted = tryFindSame(to_.views, *view) != nullptr;
      step(StepKind::Safe, str("view ", view->name),
           isWanted ? "it is in the way of what changes, and is created anew below"
                    : "it is not wanted",
           {str("DROP VIEW ", quotedName(view->name))});
    }
    for (const Definition& search : from_.virtualTables) {
      if (!gone_.contains(lowerCase(search.name))) continue;
      const bool hasTexts = search.table.empty();
      step(hasTexts ? StepKind::Loss : StepKind::Safe, str("virtual table ", search.name),
           hasTexts ? "it is not wanted so, and its texts are in no other table"
                    : "it is not wanted so; its texts are in another table",
           {str("DROP TABLE ", quotedName(search.name))},
           hasTexts ? std::vector{search.name} : std::vector<std::string>());
    }
  }

  void dropTables() {
    for (const Match& match : matches_) {
      if (match.to != nullptr) continue;
      const TableShape& table = *match.from;
      Statements statements = keepTable(table);
      statements.push_back(str("DROP TABLE ", quotedName(table.name)));
      step(StepKind::Loss, table.name, "the schema has no such table", std::move(statements),
           {table.name});
    }
  }

  std::string newKeptName() { return str(options_.keepPrefix, plan_.kept.tables.size() + 1); }

  Statements keepTable(const TableShape& table) {
    if (options_.keepPrefix.empty()) return {};
    const std::string name = newKeptName();
    std::string columns;
    for (const ColumnShape& column : table.columns) {
      if (isGenerated(column)) continue;
      columns += str(columns.empty() ? "" : ", ", quotedName(column.name));
    }
    const std::string sql = str("CREATE TABLE ", quotedName(name), " (", columns, ")");
    plan_.kept.statements.push_back(sql);
    plan_.kept.tables.push_back(name);
    plan_.kept.rows[lowerCase(table.name)] = name;
    return {sql, str("INSERT INTO ", quotedName(name), " SELECT ", columns, " FROM ",
                     quotedName(table.name))};
  }

  bool isThere(std::string_view name) { return tryFindKind(scratch_, name).has_value(); }

  void renameTables() {
    std::vector<std::pair<std::string, std::string>> left;
    for (const Match& match : matches_) {
      if (match.isRenamed()) left.emplace_back(match.from->name, match.to->name);
    }
    while (!left.empty()) {
      const auto next = std::ranges::find_if(
          left, [this](const auto& rename) { return !isThere(rename.second); });
      if (next == left.end()) {  // They go round in a circle.
        const std::string aside = str(kAsideTablePrefix, left.front().first);
        rename(left.front().first, aside);
        left.front().first = aside;
        continue;
      }
      rename(next->first, next->second);
      left.erase(next);
    }
  }

  void rename(const std::string& from, const std::string& to) {
    step(StepKind::Safe, to, str("it was called ", from),
         {str("ALTER TABLE ", quotedName(from), " RENAME TO ", quotedName(to))});
  }

  void renameColumns() {
    for (const Match& match : matches_) {
      for (const auto& [was, name] : match.columns) {
        step(StepKind::Safe, str(match.to->name, '.', name), str("it was called ", was),
             {str("ALTER TABLE ", quotedName(match.to->name), " RENAME COLUMN ", quotedName(was),
                  " TO ", quotedName(name))});
      }
    }
  }

  void dropIndexes() {
    for (const IndexShape& index : readIndexes(scratch_)) {
      if (index.table.starts_with("__schemascript_")) continue;
      const auto same = std::ranges::find_if(to_.indexes, [&index](const IndexShape& wanted) {
        return isSameName(wanted.name, index.name) && wanted.table == index.table &&
               wanted.unique == index.unique && wanted.definition == index.definition;
      });
      if (same != to_.indexes.end()) continue;
      step(StepKind::Safe, str("index ", index.name), "it is not wanted so",
           {str("DROP INDEX ", quotedName(index.name))});
    }
  }

  void changeOrCreate(const TableShape& wanted) {
    const std::optional<TableShape> present = tryReadTable(scratch_, wanted.name);
    if (!present) {
      Statements statements{wanted.sql};
      const auto kept = keptRowsOf(wanted);
      if (kept) statements.push_back(*kept);
      step(StepKind::Safe, wanted.name,
           kept ? "it is new, and gets the rows that were kept" : "it is new",
           std::move(statements));
    } else if (!areAlike(wanted, *present) && !tryAlter(wanted, *present)) {
      rebuild(wanted, *present);
    }
  }

  std::optional<std::string> keptRowsOf(const TableShape& table) const {
    if (options_.kept == nullptr) return std::nullopt;
    const auto kept = options_.kept->rows.find(lowerCase(table.name));
    if (kept == options_.kept->rows.end()) return std::nullopt;
    std::string columns;
    for (const ColumnShape& column : table.columns) {
      if (isGenerated(column)) continue;
      columns += str(columns.empty() ? "" : ", ", quotedName(column.name));
    }
    return str("INSERT INTO ", quotedName(table.name), " (", columns, ") SELECT ", columns,
               " FROM ", quotedName(kept->second));
  }

  std::optional<Kept::Value> keptValueOf(const TableShape& table, const ColumnShape& column) const {
    if (options_.kept == nullptr) return std::nullopt;
    const auto kept = options_.kept->values.find({lowerCase(table.name), lowerCase(column.name)});
    return kept == options_.kept->values.end() ? std::nullopt : std::optional(kept->second);
  }

  // Whether ALTER TABLE adds it also where there are rows, without looking at them.
  static bool isAddable(const ColumnShape& column) {
    if (isKey(column) || isStored(column)) return false;
    const std::size_t at = column.description.find(" DEFAULT ");
    if (at == std::string::npos) return !isRequired(column) || isGenerated(column);
    const std::string_view value = std::string_view(column.description).substr(at + 9);
    return !value.starts_with("(") && !value.starts_with("current_");
  }

  // What ALTER TABLE can do just as it is wanted; false, and nothing is done, when that is not all.
  bool tryAlter(const TableShape& wanted, const TableShape& present) {
    std::vector<const ColumnShape*> added;
    std::vector<const ColumnShape*> dropped;
    for (const ColumnShape& column : wanted.columns) {
      const ColumnShape* const other = tryFindColumn(present, column.name);
      if (other != nullptr && other->description != column.description) return false;
      if (other == nullptr) added.push_back(&column);
    }
    for (const ColumnShape& column : present.columns) {
      if (tryFindColumn(wanted, column.name) == nullptr) dropped.push_back(&column);
    }
    if (!std::ranges::all_of(added, [](const auto* column) { return isAddable(*column); })) {
      return false;
    }
    const std::size_t stepsBefore = plan_.steps.size();
    const Kept keptBefore = plan_.kept;
    create("savepoint alter_table");
    try {
      for (const ColumnShape* column : dropped) dropColumn(wanted, present, *column);
      for (const ColumnShape* column : added) addColumn(wanted, *column);
      const auto now = tryReadTable(scratch_, wanted.name);
      if (now && areAlike(wanted, *now)) {
        create("release alter_table");
        return true;
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::InvalidRequest) throw;
    }
    create("rollback to alter_table");
    create("release alter_table");
    plan_.steps.resize(stepsBefore);
    plan_.kept = keptBefore;
    return false;
  }

  void dropColumn(const TableShape& wanted, const TableShape& present, const ColumnShape& column) {
    const bool isComputed = isGenerated(column);
    Statements statements = isComputed ? Statements() : keepColumn(wanted, present, column);
    statements.push_back(
        str("ALTER TABLE ", quotedName(present.name), " DROP COLUMN ", quotedName(column.name)));
    const std::string name = str(present.name, '.', column.name);
    step(isComputed ? StepKind::Safe : StepKind::Loss, name,
         isComputed ? "it is not wanted, and was computed" : "the schema has no such column",
         std::move(statements), isComputed ? std::vector<std::string>() : std::vector{name});
  }

  void addColumn(const TableShape& wanted, const ColumnShape& column) {
    const auto index = static_cast<std::size_t>(&column - wanted.columns.data());
    const std::vector<std::string> parts = partsOfTable(wanted.sql);
    SS_CHECK(index < parts.size(), wanted.sql);
    std::string part = parts[index];
    const auto first = part.find_first_not_of(" \t\r\n");
    part = part.substr(first, part.find_last_not_of(" \t\r\n") - first + 1);
    Statements statements{str("ALTER TABLE ", quotedName(wanted.name), " ADD COLUMN ", part)};
    const auto kept = keptValueOf(wanted, column);
    if (kept) {
      statements.push_back(str("UPDATE ", quotedName(wanted.name), " SET ", quotedName(column.name),
                               " = ", kept->expression, " WHERE ", kept->condition));
    }
    step(StepKind::Safe, str(wanted.name, '.', column.name),
         kept ? "it is new, and gets the values that were kept" : "it is new",
         std::move(statements));
  }

  // How a table of rows that have numbers without a column for them calls these; empty for others.
  static std::string rowidOf(const TableShape& table) {
    if (isWithoutRowid(table)) return {};
    for (const ColumnShape& column : table.columns) {
      const bool isAlias = column.description == "INTEGER PRIMARY KEY" ||
                           column.description.starts_with("INTEGER PRIMARY KEY AUTOINCREMENT");
      if (isAlias) return {};
    }
    for (const char* name : {"rowid", "_rowid_", "oid"}) {
      if (tryFindColumn(table, name) == nullptr) return name;
    }
    return {};
  }

  // What names a row both in this table and in the wanted one: its key, or the rowid.
  std::vector<std::string> keysOf(const TableShape& wanted, const TableShape& present) const {
    std::vector<std::string> keys;
    for (const ColumnShape& column : present.columns) {
      if (!isKey(column)) continue;
      const ColumnShape* const other = tryFindColumn(wanted, column.name);
      if (other == nullptr || !isKey(*other)) return {};
      keys.push_back(column.name);
    }
    const std::string rowid = rowidOf(present);
    if (keys.empty() && !rowid.empty() && rowid == rowidOf(wanted)) keys.push_back(rowid);
    return keys;
  }

  // NULL only where a row that is not kept would get something else.
  Statements keepColumn(const TableShape& wanted, const TableShape& present,
                        const ColumnShape& column) {
    const std::string value = quotedName(column.name);
    const bool isAll = has(column.description, " DEFAULT ");
    return keepByKey(
        wanted, present, isAll ? "" : str(" WHERE ", value, " IS NOT NULL"), str(", ", value),
        [&](const std::string& rows) {
          plan_.kept.values[{lowerCase(matchOf(wanted).from->name), lowerCase(column.name)}] = {
              str("(SELECT kept.", value, rows, ")"), str("EXISTS (SELECT 1", rows, ")")};
        });
  }

  // Keeps the keys of the rows `where`, and the columns `more`. `use` gets ` FROM ... AS kept WHERE
  // ...`, which finds what is kept of a row of the table that a plan back begins with.
  template <typename Use>
  Statements keepByKey(const TableShape& wanted, const TableShape& present, std::string_view where,
                       const std::string& more, Use&& use) {
    const std::vector<std::string> keys = keysOf(wanted, present);
    if (options_.keepPrefix.empty() || keys.empty()) return {};
    const std::string name = newKeptName();
    const Match& match = matchOf(wanted);
    std::string list;
    std::string condition;
    for (const std::string& key : keys) {
      list += str(list.empty() ? "" : ", ", quotedName(key));
      condition += str(condition.empty() ? "" : " AND ", "kept.", quotedName(key), " IS ",
                       quotedName(match.from->name), '.', quotedName(oldNameOf(match, key)));
    }
    const std::string sql =
        str("CREATE TABLE ", quotedName(name), " (", list, more, ", PRIMARY KEY (", list, "))");
    plan_.kept.statements.push_back(sql);
    plan_.kept.tables.push_back(name);
    use(str(" FROM ", quotedName(name), " AS kept WHERE ", condition));
    return {sql, str("INSERT INTO ", quotedName(name), " SELECT ", list, more, " FROM ",
                     quotedName(present.name), where)};
  }

  const Match& matchOf(const TableShape& wanted) const {
    const auto found = std::ranges::find(matches_, &wanted, &Match::to);
    SS_CHECK(found != matches_.end(), wanted.name);
    return *found;
  }

  static std::string oldNameOf(const Match& match, std::string_view name) {
    for (const auto& [was, now] : match.columns) {
      if (isSameName(now, name)) return was;
    }
    return std::string(name);
  }

  // https://sqlite.org/lang_altertable.html, 7: create the new table, copy, drop the old one,
  // rename the new one. What refers to the table by its name refers to the new one then.
  void rebuild(const TableShape& wanted, const TableShape& present) {
    Statements statements;
    std::vector<std::string> losses;
    for (const ColumnShape& column : present.columns) {
      if (isGenerated(column) || tryFindColumn(wanted, column.name) != nullptr) continue;
      losses.push_back(str(present.name, '.', column.name));
      std::ranges::move(keepColumn(wanted, present, column), std::back_inserter(statements));
    }
    for (const ColumnShape& column : wanted.columns) {
      const ColumnShape* const source = tryFindColumn(present, column.name);
      if (source == nullptr || isGenerated(column)) continue;
      if (typeOf(*source) != typeOf(column) && !isGenerated(*source)) {
        std::ranges::move(keepConverted(wanted, present, column, *source),
                          std::back_inserter(statements));
      }
      const std::string initial = initialOf(wanted, column, *source);
      if (initial.empty()) continue;
      std::ranges::move(keepNulls(wanted, present, column, initial),
                        std::back_inserter(statements));
    }
    const std::string temporary = str(kNewTablePrefix, wanted.name);
    const std::string created = str("CREATE TABLE ", quotedName(temporary), ' ',
                                    requalified(bodyOfTable(wanted.sql), wanted.name, temporary));
    statements.push_back(created);
    statements.push_back(copying(wanted, present, temporary));
    const auto counts = [](const ColumnShape& column) {
      return has(column.description, " AUTOINCREMENT");
    };
    if (std::ranges::any_of(present.columns, counts) &&
        std::ranges::any_of(wanted.columns, counts)) {
      statements.push_back(
          str("DELETE FROM sqlite_sequence WHERE name = ", textConstant(temporary)));
      statements.push_back(
          str("INSERT INTO sqlite_sequence (name, seq) SELECT ", textConstant(temporary),
              ", seq FROM sqlite_sequence WHERE name = ", textConstant(present.name)));
    }
    statements.push_back(str("DROP TABLE ", quotedName(present.name)));
    statements.push_back(
        str("ALTER TABLE ", quotedName(temporary), " RENAME TO ", quotedName(wanted.name)));
    step(losses.empty() ? StepKind::Rebuild : StepKind::Loss, wanted.name,
         whyRebuilt(wanted, present), std::move(statements), std::move(losses));
  }

  // The first difference, which is reason enough.
  static std::string whyRebuilt(const TableShape& wanted, const TableShape& present) {
    Schema one;
    Schema other;
    one.tables = {wanted};
    other.tables = {present};
    const std::vector<std::string> differences = differencesBetween(one, other);
    std::string why = "SQLite cannot alter it so";
    for (const std::string& difference : differences) {
      why += str("\n", difference.substr(difference.find(": ") + 2));
    }
    return why;
  }

  std::string copying(const TableShape& wanted, const TableShape& present,
                      const std::string& temporary) {
    std::string columns;
    std::string values;
    const auto copy = [&](const ColumnShape& column, const std::string& value) {
      columns += str(columns.empty() ? "" : ", ", quotedName(column.name));
      values += str(values.empty() ? "" : ", ", value);
    };
    for (const ColumnShape& column : wanted.columns) {
      if (isGenerated(column)) continue;
      const ColumnShape* const source = tryFindColumn(present, column.name);
      if (source != nullptr) {
        copy(column, copied({wanted, column, *source, initialOf(wanted, column, *source)}, *this));
      } else if (const auto kept = keptValueOf(wanted, column)) {
        const std::string initial = initialOf(wanted, column);
        copy(column, initial.empty() ? kept->expression
                                     : str("iif(", kept->condition, ", ", kept->expression, ", ",
                                           initial, ")"));
      }
    }
    // Rows keep their numbers: what is kept for a way back may know them by these.
    const std::string rowid = rowidOf(present);
    if (!rowid.empty() && rowid == rowidOf(wanted)) {
      copy({.name = rowid, .description = {}}, rowid);
    } else if (columns.empty()) {
      copy(wanted.columns.front(), "NULL");
    }
    return str("INSERT INTO ", quotedName(temporary), " (", columns, ") SELECT ", values, " FROM ",
               quotedName(present.name));
  }

  // A column that may not be NULL any more has its default where it was; and back.
  static std::string copied(const Copy& copy, const Planner& planner) {
    const std::string name = quotedName(copy.source.name);
    if (!copy.initial.empty()) return str("coalesce(", name, ", ", copy.initial, ")");
    const Kept* const kept = planner.options_.kept;
    if (kept == nullptr) return name;
    const std::pair key(lowerCase(copy.wanted.name), lowerCase(copy.column.name));
    const auto converted = kept->converted.find(key);
    const std::string value = converted == kept->converted.end()
                                  ? name
                                  : str("coalesce(", converted->second, ", ", name, ")");
    const auto nulls = kept->nulls.find(key);
    return nulls == kept->nulls.end() ? value : str("iif(", nulls->second, ", NULL, ", value, ")");
  }

  // What NULL becomes where it is not allowed any more; empty where nothing is changed.
  static std::string initialOf(const TableShape& wanted, const ColumnShape& column,
                               const ColumnShape& source) {
    if (!isRequired(column) || isRequired(source) || isKey(source)) return {};
    return initialOf(wanted, column);
  }

  static std::string initialOf(const TableShape& wanted, const ColumnShape& column) {
    Database described({});
    described.execute("pragma foreign_keys = off", Rules::Host);
    described.execute(wanted.sql, Rules::Host);
    return defaultOf(described, wanted.name, column.name);
  }

  Statements keepNulls(const TableShape& wanted, const TableShape& present,
                       const ColumnShape& column, std::string_view initial) {
    return keepByKey(wanted, present, str(" WHERE ", quotedName(column.name), " IS NULL"), "",
                     [&](const std::string& rows) {
                       const Match& match = matchOf(wanted);
                       const std::string old = oldNameOf(match, column.name);
                       plan_.kept.nulls[{lowerCase(match.from->name), lowerCase(old)}] =
                           str(quotedName(match.from->name), '.', quotedName(old), " IS ", initial,
                               " AND EXISTS (SELECT 1", rows, ")");
                     });
  }

  // Those that do not come back the same.
  Statements keepConverted(const TableShape& wanted, const TableShape& present,
                           const ColumnShape& column, const ColumnShape& source) {
    const std::string value = quotedName(column.name);
    return keepByKey(wanted, present,
                     str(" WHERE ", value, " IS NOT CAST(CAST(", value, " AS ", typeOf(column),
                         ") AS ", typeOf(source), ")"),
                     str(", ", value), [&](const std::string& rows) {
                       const Match& match = matchOf(wanted);
                       const std::string old = oldNameOf(match, column.name);
                       plan_.kept.converted[{lowerCase(match.from->name), lowerCase(old)}] =
                           str("(SELECT kept.", value, rows, " AND CAST(kept.", value, " AS ",
                               typeOf(column), ") IS ", quotedName(match.from->name), '.',
                               quotedName(old), ")");
                     });
  }

  void createRest() {
    const std::vector<IndexShape> indexes = readIndexes(scratch_);
    for (const IndexShape& index : to_.indexes) {
      const bool isThere = std::ranges::any_of(indexes, [&index](const IndexShape& other) {
        return isSameName(other.name, index.name);
      });
      if (isThere) continue;
      step(StepKind::Safe, str("index ", index.name),
           touched_.contains(index.table) ? "its table has changed" : "it is new", {index.sql});
    }
    createDefinitions(DefinitionKind::VirtualTable, to_.virtualTables);
    for (const Definition& search : to_.virtualTables) {
      const bool isStale = gone_.contains(lowerCase(search.name)) ||
                           tryFindSame(from_.virtualTables, search) == nullptr ||
                           touched_.contains(search.table);
      if (search.table.empty() || !isStale) continue;
      const std::string name = quotedName(search.name);
      step(StepKind::Safe, str("virtual table ", search.name), "it reads its texts anew",
           {str("INSERT INTO ", name, " (", name, ") VALUES ('rebuild')")});
    }
    createDefinitions(DefinitionKind::View, to_.views);
    createDefinitions(DefinitionKind::Trigger, to_.triggers);
  }

  void createDefinitions(DefinitionKind kind, const std::vector<Definition>& wanted) {
    const std::vector<Definition> present = readDefinitions(scratch_, kind);
    for (const Definition& each : wanted) {
      const bool isThere = std::ranges::any_of(
          present, [&each](const Definition& other) { return isSameName(other.name, each.name); });
      if (isThere) continue;
      step(StepKind::Safe, str(nameOf(kind), ' ', each.name), "it is created", {each.sql});
    }
  }

  void check() {
    const std::vector<std::string> differences = differencesBetween(to_, readSchema(scratch_));
    if (differences.empty()) return;
    std::string message = "a plan does not lead to the schema that is wanted";
    for (const std::string& difference : differences) message += str("\n  ", difference);
    throw internal(std::move(message));
  }

  const Schema& from_;
  const Schema& to_;
  const PlanOptions& options_;
  const Names& inTheWay_;
  Database scratch_;
  std::vector<Match> matches_;
  Names touched_;  // Tables of which anything changes, by their old and new names.
  Names gone_;     // Virtual tables that are dropped.
  Plan plan_;
};

// ALTER TABLE compiles all views and triggers, and some that SELECT takes it does not: those with
// joins in parentheses. The one that it complains of.
std::optional<std::string> tryFindInTheWay(const Schema& schema, const Error& error) {
  const std::string& message = error.message();
  for (const auto& [kind, definitions] : {std::pair("error in view ", &schema.views),
                                          std::pair("error in trigger ", &schema.triggers)}) {
    for (const Definition& each : *definitions) {
      const std::string begin = str(kind, each.name);
      if (message.starts_with(begin + ':') || message.starts_with(begin + ' ')) return each.name;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view nameOf(StepKind kind) noexcept {
  switch (kind) {
    case StepKind::Safe:
      return "safe";
    case StepKind::Rebuild:
      return "needs a table rebuild";
    case StepKind::Loss:
      return "loses data";
  }
  return {};
}

bool Plan::losesSomething() const noexcept {
  return std::ranges::any_of(steps,
                             [](const MigrationStep& each) { return each.kind == StepKind::Loss; });
}

Plan planMigration(const Schema& from, const Schema& to, const PlanOptions& options) {
  Names inTheWay;
  for (;;) {
    try {
      return Planner(from, to, options, inTheWay).plan();
    } catch (const Error& error) {
      const auto name = tryFindInTheWay(from, error);
      if (!name || !inTheWay.insert(lowerCase(*name)).second) throw;
    }
  }
}

Migration makeMigration(const Schema& from, const Schema& to, std::span<const Rename> renames,
                        std::string keepPrefix) {
  Plan up = planMigration(from, to, {.renames = renames, .keepPrefix = std::move(keepPrefix)});
  const std::vector<Rename> back = reversed(renames);
  Plan down = planMigration(to, from, {.renames = back, .kept = &up.kept});
  for (const std::string& table : up.kept.tables) {
    down.steps.push_back({.subject = table,
                          .why = "what was kept is back where it was",
                          .statements = {str("DROP TABLE ", quotedName(table))}});
  }
  return {std::move(up.steps), std::move(down.steps)};
}

std::vector<Rename> reversed(std::span<const Rename> renames) {
  std::vector<Rename> back;
  for (const Rename& rename : renames) {
    if (rename.column.empty()) {
      back.push_back({.table = rename.was, .column = {}, .was = rename.table});
      continue;
    }
    std::string table = rename.table;
    for (const Rename& other : renames) {
      if (other.column.empty() && isSameName(other.table, table)) table = other.was;
    }
    back.push_back({.table = std::move(table), .column = rename.was, .was = rename.column});
  }
  return back;
}

std::vector<std::string> lossesOf(std::span<const MigrationStep> steps) {
  std::vector<std::string> losses;
  for (const MigrationStep& step : steps) {
    for (const std::string& loss : step.losses) {
      if (std::ranges::find(losses, loss) == losses.end()) losses.push_back(loss);
    }
  }
  return losses;
}

std::string renderSteps(std::span<const MigrationStep> steps) {
  std::string text;
  for (const MigrationStep& step : steps) {
    if (!text.empty()) text += '\n';
    std::string_view why = step.why;
    text += str("-- ", step.subject, " (", nameOf(step.kind), "): ", why.substr(0, why.find('\n')),
                '\n');
    for (std::size_t at = why.find('\n'); at != std::string_view::npos;) {
      why.remove_prefix(at + 1);
      at = why.find('\n');
      text += str("--   ", why.substr(0, at), '\n');
    }
    for (const std::string& statement : step.statements) text += str(statement, ";\n");
  }
  return text;
}

}  // namespace schemascript
