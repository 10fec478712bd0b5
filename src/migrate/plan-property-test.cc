// Random pairs of schemas, with random rows: there and back. SCHEMASCRIPT_SEED repeats the pairs
// from one on, SCHEMASCRIPT_PAIRS says how many there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/testing.h"
#include "migrate/plan.h"
#include "migrate/runner.h"
#include "migrate/testing.h"
#include "migrate/tokens.h"

namespace schemascript {
namespace {

using Random = std::mt19937;

bool chance(Random& random, double probability) {
  return std::bernoulli_distribution(probability)(random);
}
int upTo(Random& random, int max) { return std::uniform_int_distribution(0, max)(random); }
template <typename List>
auto& oneOf(Random& random, List& list) {
  return list[static_cast<std::size_t>(upTo(random, static_cast<int>(std::size(list)) - 1))];
}

// What a table and a column are, whatever they are called.
struct Column {
  int id;
  std::string name;
  std::string type;
  bool required = false;
  std::string initial{};  // The default; empty without one.
  bool unique = false;
  bool checked = false;
  int parent = -1;    // The table that it refers to.
  int computed = -1;  // The column that it is computed from.
  bool stored = false;
};
enum class Key : std::uint8_t { Rowid, Counted, Text, WithoutRowid, None };
struct Table {
  int id;
  std::string name;
  Key key = Key::Rowid;
  std::string keyName = "id";
  std::vector<Column> columns{};
  std::vector<int> indexed{};
  bool isSearched = false;
  bool isViewed = false;
};
struct Model {
  std::vector<Table> tables;
  int nextId = 0;
};

const std::vector<std::string> kNames{"a", "b", "C", "d e", "select", "f\"g", "h", "i", "j", "k"};

const Table* tryFind(const Model& model, int id) {
  const auto found = std::ranges::find(model.tables, id, &Table::id);
  return found == model.tables.end() ? nullptr : &*found;
}
const Column* tryFind(const Table& table, int id) {
  const auto found = std::ranges::find(table.columns, id, &Column::id);
  return found == table.columns.end() ? nullptr : &*found;
}

std::string freeName(Random& random, const std::vector<std::string>& taken,
                     std::string_view prefix = "") {
  for (;;) {
    const std::string name = str(prefix, oneOf(random, kNames));
    const bool isTaken = std::ranges::any_of(
        taken, [&name](const std::string& other) { return isSameName(name, other); });
    if (!isTaken) return name;
  }
}
std::vector<std::string> namesOf(const Table& table) {
  std::vector<std::string> names{table.keyName};
  for (const Column& column : table.columns) names.push_back(column.name);
  return names;
}
std::vector<std::string> namesOf(const Model& model) {
  std::vector<std::string> names;
  for (const Table& table : model.tables) names.push_back(table.name);
  return names;
}

bool hasIntegerKey(const Table& table) {
  return table.key == Key::Rowid || table.key == Key::Counted;
}

Column randomColumn(Random& random, Model& model, const Table& table, bool mayBeRequired) {
  static const std::vector<std::string> kTypes{"INTEGER", "TEXT", "REAL", "BLOB"};
  Column column{.id = model.nextId++,
                .name = freeName(random, namesOf(table)),
                .type = oneOf(random, kTypes)};
  column.checked = chance(random, 0.2);
  if (chance(random, 0.4)) {
    column.initial = column.type == "TEXT" ? "'it''s'" : column.type == "BLOB" ? "x'00ff'" : "7";
    column.required = chance(random, 0.5);
  } else if (mayBeRequired) {
    column.required = chance(random, 0.3);
  }
  if (!column.required && column.initial.empty()) column.unique = chance(random, 0.15);
  if (column.type == "INTEGER" && !column.required && column.initial.empty() && !column.unique &&
      chance(random, 0.4)) {
    const Table& parent = oneOf(random, model.tables);
    if (hasIntegerKey(parent)) column.parent = parent.id;
  }
  return column;
}

void addComputed(Random& random, Model& model, Table& table, bool mayBeStored) {
  const auto source = std::ranges::find_if(table.columns, [](const Column& column) {
    return column.type == "TEXT" && column.computed < 0;
  });
  if (source == table.columns.end()) return;
  const int from = source->id;
  table.columns.push_back({.id = model.nextId++,
                           .name = freeName(random, namesOf(table)),
                           .type = "TEXT",
                           .computed = from,
                           .stored = mayBeStored && chance(random, 0.3)});
}

Table randomTable(Random& random, Model& model) {
  Table table{.id = model.nextId++, .name = freeName(random, namesOf(model), "t ")};
  table.key = static_cast<Key>(upTo(random, 4));
  const int count = 1 + upTo(random, 4);
  for (int index = 0; index < count; ++index) {
    if (model.tables.empty()) model.tables.push_back(table);  // It may refer to itself.
    table.columns.push_back(randomColumn(random, model, table, true));
    if (model.tables.size() == 1 && model.tables[0].id == table.id) model.tables.clear();
  }
  if (chance(random, 0.3)) addComputed(random, model, table, true);
  for (const Column& column : table.columns) {
    if (chance(random, 0.25)) table.indexed.push_back(column.id);
  }
  table.isSearched = chance(random, 0.3);
  table.isViewed = chance(random, 0.3);
  return table;
}

Model randomModel(Random& random) {
  Model model;
  const int count = 1 + upTo(random, 3);
  for (int index = 0; index < count; ++index) {
    Table table = randomTable(random, model);
    model.tables.push_back(std::move(table));
  }
  return model;
}

// Types whose values go there and back without loss, as randomValue() makes them.
std::string otherType(Random& random, const std::string& type) {
  if (type == "INTEGER") return chance(random, 0.5) ? "TEXT" : "REAL";
  if (type == "REAL") return "INTEGER";
  return type == "TEXT" ? "INTEGER" : type;
}

void changeColumn(Random& random, Table& table, Column& column, std::vector<Rename>& renames,
                  std::vector<std::string> taken) {
  if (column.computed >= 0) return;
  switch (upTo(random, 5)) {
    case 0:
      taken.insert(taken.end(), {"id", "code"});
      renames.push_back({.table = {}, .column = {}, .was = column.name});
      column.name = freeName(random, taken);
      renames.back().column = column.name;
      break;
    case 1: {
      const bool isSource = std::ranges::any_of(
          table.columns, [&column](const Column& other) { return other.computed == column.id; });
      if (isSource || column.parent >= 0 || column.unique || !column.initial.empty()) break;
      column.type = otherType(random, column.type);
      break;
    }
    case 2:
      // NULL becomes the default, and back.
      if (!column.initial.empty()) column.required = !column.required;
      break;
    case 3:
      column.checked = !column.checked;
      break;
    case 4:
      column.parent = -1;
      break;
    default:
      if (column.required || column.initial.empty()) break;
      column.initial = column.type == "TEXT" ? "'other'" : column.type == "BLOB" ? "x'01'" : "8";
      break;
  }
}

void changeTable(Random& random, Model& model, Table& table, std::vector<Rename>& renames) {
  std::vector<std::string> taken = namesOf(table);  // Of now, and of before.
  std::vector<Rename> own;
  for (int count = upTo(random, 3); count > 0; --count) {
    const int what = upTo(random, 5);
    if (what <= 2 && !table.columns.empty()) {
      std::vector<Rename> one;
      Column& column = oneOf(random, table.columns);
      const bool isRenamed = std::ranges::any_of(
          own, [&](const Rename& rename) { return rename.column == column.name; });
      if (!isRenamed) changeColumn(random, table, column, one, taken);
      own.insert(own.end(), one.begin(), one.end());
      const std::vector<std::string> now = namesOf(table);
      taken.insert(taken.end(), now.begin(), now.end());
    } else if (what == 3 && table.columns.size() > 1) {
      const int gone = oneOf(random, table.columns).id;
      std::erase_if(table.columns, [gone](const Column& column) {
        return column.id == gone || column.computed == gone;
      });
      if (table.columns.empty())
        table.columns.push_back({.id = model.nextId++, .name = "z", .type = "TEXT"});
    } else if (what == 4) {
      Column column = randomColumn(random, model, table, false);
      // A name that is neither there nor was.
      std::vector<std::string> all = taken;
      all.push_back("id");
      if (all.size() < kNames.size()) {
        column.name = freeName(random, all);
        taken.push_back(column.name);
        table.columns.push_back(std::move(column));
      }
    } else {
      std::ranges::shuffle(table.columns, random);
    }
  }
  std::erase_if(table.indexed,
                [&](int id) { return tryFind(table, id) == nullptr || chance(random, 0.1); });
  if (chance(random, 0.1)) table.isViewed = !table.isViewed;
  if (chance(random, 0.1)) table.isSearched = !table.isSearched;
  if (chance(random, 0.2)) {
    std::vector<std::string> names = namesOf(model);
    const std::string was = table.name;
    table.name = freeName(random, names, "u ");
    renames.push_back({.table = table.name, .column = {}, .was = was});
  }
  for (Rename& rename : own) {
    rename.table = table.name;
    renames.push_back(rename);
  }
}

Model changed(Random& random, Model model, std::vector<Rename>& renames) {
  if (model.tables.size() > 1 && chance(random, 0.2)) {
    const int gone = oneOf(random, model.tables).id;
    std::erase_if(model.tables, [gone](const Table& table) { return table.id == gone; });
    for (Table& table : model.tables) {
      for (Column& column : table.columns) {
        if (column.parent == gone) column.parent = -1;
      }
    }
  }
  for (Table& table : model.tables) changeTable(random, model, table, renames);
  if (chance(random, 0.3)) {
    Table table = randomTable(random, model);
    table.name = str("new ", table.name);
    model.tables.push_back(std::move(table));
  }
  return model;
}

std::string columnSql(const Model& model, const Table& table, const Column& column) {
  std::string sql = str(quotedName(column.name), ' ', column.type);
  if (column.computed >= 0) {
    return str(sql, " GENERATED ALWAYS AS (", quotedName(tryFind(table, column.computed)->name),
               " || 'x') ", column.stored ? "STORED" : "VIRTUAL");
  }
  if (column.required) sql += " NOT NULL";
  if (!column.initial.empty()) sql += str(" DEFAULT ", column.initial);
  if (column.unique) sql += " UNIQUE";
  if (column.checked) sql += str(" CHECK (", quotedName(column.name), " IS NOT 'never')");
  if (const Table* const parent = tryFind(model, column.parent)) {
    sql += str(" REFERENCES ", quotedName(parent->name), " (", quotedName(parent->keyName),
               ") ON DELETE CASCADE");
  }
  return sql;
}

std::string searchSql(const Table& table) {
  std::string columns;
  std::string news;
  std::string olds;
  for (const Column& column : table.columns) {
    if (column.type != "TEXT" || column.computed >= 0) continue;
    columns += str(quotedName(column.name), ", ");
    news += str(", new.", quotedName(column.name));
    olds += str(", old.", quotedName(column.name));
  }
  if (columns.empty() || !hasIntegerKey(table)) return {};
  const std::string name = quotedName(table.name + " search");
  const std::string owner = quotedName(table.name);
  std::string list = columns.substr(0, columns.size() - 2);
  const std::string id = quotedName(table.keyName);
  return str("CREATE VIRTUAL TABLE ", name, " USING fts5(", list, ", content=", owner,
             ", content_rowid='", table.keyName, "');\nCREATE TRIGGER ",
             quotedName(table.name + " inserted"), " AFTER INSERT ON ", owner,
             " BEGIN INSERT INTO ", name, " (rowid, ", list, ") VALUES (new.", id, news,
             "); END;\nCREATE TRIGGER ", quotedName(table.name + " deleted"), " AFTER DELETE ON ",
             owner, " BEGIN INSERT INTO ", name, " (", name, ", rowid, ", list,
             ") VALUES ('delete', old.", id, olds, "); END;\n");
}

std::string sqlOf(const Model& model) {
  std::string sql;
  for (const Table& table : model.tables) {
    const std::string key = quotedName(table.keyName);
    std::string body;
    switch (table.key) {
      case Key::Rowid:
        body = str(key, " INTEGER PRIMARY KEY, ");
        break;
      case Key::Counted:
        body = str(key, " INTEGER PRIMARY KEY AUTOINCREMENT, ");
        break;
      case Key::Text:
      case Key::WithoutRowid:
        body = str(key, " TEXT NOT NULL PRIMARY KEY, ");
        break;
      case Key::None:
        body = str(key, " INTEGER NOT NULL, ");
        break;
    }
    for (const Column& column : table.columns) body += str(columnSql(model, table, column), ", ");
    body.resize(body.size() - 2);
    sql += str("CREATE TABLE ", quotedName(table.name), " (", body, ") STRICT",
               table.key == Key::WithoutRowid ? ", WITHOUT ROWID" : "", ";\n");
    for (const int id : table.indexed) {
      const Column* const column = tryFind(table, id);
      if (column == nullptr) continue;
      sql += str("CREATE INDEX ", quotedName(str(table.name, " by ", column->name)), " ON ",
                 quotedName(table.name), " (", quotedName(column->name), ");\n");
    }
    if (table.isSearched) sql += searchSql(table);
    if (table.isViewed) {
      sql += str("CREATE VIEW ", quotedName(table.name + " view"), " AS SELECT ",
                 quotedName(table.columns.front().name), " FROM ", quotedName(table.name), ";\n");
    }
  }
  return sql;
}

std::string randomValue(Random& random, const Column& column, int row, int parents) {
  if (column.parent >= 0) {
    return parents == 0 || chance(random, 0.3) ? "NULL"
                                               : std::to_string(1 + upTo(random, parents - 1));
  }
  if (!column.required && chance(random, 0.3)) return "NULL";
  const int number = column.unique ? row : upTo(random, 99);
  if (column.type == "INTEGER") return std::to_string(number);
  if (column.type == "REAL") return str(number, ".0");
  if (column.type == "TEXT") return str("'", number, "'");
  return str("x'", number % 10, "0ff'");
}

constexpr int kRows = 6;

void fill(Random& random, Database& database, const Model& model) {
  for (const Table& table : model.tables) {
    for (int row = 1; row <= kRows; ++row) {
      std::string columns = quotedName(table.keyName);
      const bool isText = table.key == Key::Text || table.key == Key::WithoutRowid;
      std::string values = isText ? str("'k", row, "'") : std::to_string(row);
      for (const Column& column : table.columns) {
        if (column.computed >= 0) continue;
        columns += str(", ", quotedName(column.name));
        values += str(", ", randomValue(random, column, row, kRows));
      }
      runAll(database,
             str("INSERT INTO ", quotedName(table.name), " (", columns, ") VALUES (", values, ")"));
    }
  }
}

// Of each table, by its id: the rows, and in each the columns by their ids.
using Content = std::map<int, std::vector<std::map<int, std::string>>>;

Content contentOf(Database& database, const Model& model) {
  Content content;
  for (const Table& table : model.tables) {
    std::string columns = str("quote(", quotedName(table.keyName), ")");
    for (const Column& column : table.columns)
      columns += str(", quote(", quotedName(column.name), ")");
    Statement statement = database.prepare(str("SELECT ", columns, " FROM ", quotedName(table.name),
                                               " ORDER BY ", quotedName(table.keyName)),
                                           Rules::Host);
    Execution execution(statement, {});
    auto& rows = content[table.id];
    while (execution.step()) {
      std::map<int, std::string> row;
      row[-1] = std::string(execution.column(0).bytes);
      for (std::size_t index = 0; index < table.columns.size(); ++index) {
        row[table.columns[index].id] =
            std::string(execution.column(static_cast<int>(index) + 1).bytes);
      }
      rows.push_back(std::move(row));
    }
  }
  return content;
}

// What both schemas can hold is the same, and there are as many rows.
void expectKept(const Model& before, const Content& was, const Model& after, const Content& is) {
  for (const Table& table : after.tables) {
    const Table* const source = tryFind(before, table.id);
    if (source == nullptr) continue;
    const auto& old = was.at(table.id);
    const auto& now = is.at(table.id);
    ASSERT_EQ(now.size(), old.size()) << table.name;
    for (std::size_t row = 0; row < old.size(); ++row) {
      EXPECT_EQ(now[row].at(-1), old[row].at(-1)) << table.name;
      for (const Column& column : table.columns) {
        const Column* const from = tryFind(*source, column.id);
        if (from == nullptr || from->type != column.type || column.computed >= 0) continue;
        const std::string& value = old[row].at(column.id);
        const bool isDefault = value == "NULL" && column.required;
        EXPECT_EQ(now[row].at(column.id), isDefault ? now[row].at(column.id) : value)
            << table.name << '.' << column.name;
        if (isDefault) {
          EXPECT_NE(now[row].at(column.id), "NULL");
        }
      }
    }
  }
}

void expectSound(Database& database) {
  for (const char* sql : {"PRAGMA foreign_key_check",
                          "SELECT * FROM pragma_integrity_check"
                          " WHERE integrity_check <> 'ok'"}) {
    Statement statement = database.prepare(sql, Rules::Host);
    Execution execution(statement, {});
    EXPECT_FALSE(execution.step()) << sql;
  }
}

void tryPair(std::uint32_t seed) {
  Random random(seed);
  const Model before = randomModel(random);
  std::vector<Rename> renames;
  const Model after = changed(random, before, renames);
  SCOPED_TRACE(str("seed ", seed, "\n", sqlOf(before), "-- becomes\n", sqlOf(after)));
  Database database({});
  database.execute("pragma foreign_keys = off", Rules::Host);
  runAll(database, sqlOf(before));
  fill(random, database, before);
  Database wanted({});
  wanted.execute("pragma foreign_keys = off", Rules::Host);
  runAll(wanted, sqlOf(after));
  const Schema from = readSchema(database);
  const Schema to = readSchema(wanted);
  const Content was = contentOf(database, before);

  const Migration migration = makeMigration(from, to, renames, "__schemascript_kept_");
  SCOPED_TRACE(str("-- up\n", renderSteps(migration.up), "-- down\n", renderSteps(migration.down)));
  runMigration(database, renderSteps(migration.up),
               {.wanted = &to, .renames = renames, .mayLose = lossesOf(migration.up)});
  EXPECT_EQ(differencesBetween(to, readSchema(database)), std::vector<std::string>());
  expectSound(database);
  expectKept(before, was, after, contentOf(database, after));

  const std::vector<Rename> back = reversed(renames);
  runMigration(database, renderSteps(migration.down),
               {.wanted = &from, .renames = back, .mayLose = lossesOf(migration.down)});
  EXPECT_EQ(differencesBetween(from, readSchema(database)), std::vector<std::string>());
  expectSound(database);
  EXPECT_EQ(contentOf(database, before), was);
}

TEST(PlanProperty, LeadsThereAndBackAndKeepsWhatBothCanHold) {
  const char* const pairs = std::getenv("SCHEMASCRIPT_PAIRS");
  const int count = pairs == nullptr ? 2'000 : std::atoi(pairs);
  const std::uint32_t seed = seedOr(1);
  for (int index = 0; index < count; ++index) {
    try {
      tryPair(seed + static_cast<std::uint32_t>(index));
    } catch (const Error& error) {
      ADD_FAILURE() << "seed " << seed + static_cast<std::uint32_t>(index) << ": "
                    << error.message();
    }
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace schemascript
