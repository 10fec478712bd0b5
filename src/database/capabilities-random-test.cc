// Random statements of a restricted session against two databases that differ only in what the
// session may not read: whatever is allowed must answer, and store, the same in both.
#include <gtest/gtest.h>

#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "base/testing.h"
#include "database/capabilities.h"
#include "database/database.h"

namespace schemascript {
namespace {

// Writes statements that SQLite often takes: enough of its grammar to reach each way of reading.
class Author {
 public:
  explicit Author(std::uint32_t seed) : random_(seed) {}

  std::string statement() {
    switch (below(8)) {
      case 0:
        return insertion();
      case 1:
        return str(with(2), "update ", table(), " set ", column(), " = ", expression(2),
                   maybe(" from ", [this] { return source(2); }), where(2), returning());
      case 2:
        return str(with(2), "delete from ", table(), where(2), returning());
      default:
        return query(3);
    }
  }

 private:
  unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }
  std::string_view pick(std::initializer_list<std::string_view> all) {
    return all.begin()[below(static_cast<unsigned>(all.size()))];
  }
  template <typename Part>
  std::string maybe(std::string_view before, Part&& part) {
    return below(3) == 0 ? str(before, part()) : std::string();
  }

  std::string identifier(std::string_view name) {
    switch (below(8)) {
      case 0:
        return str('"', name, '"');
      case 1:
        return str('[', name, ']');
      case 2:
        return str('`', name, '`');
      default:
        return std::string(name);
    }
  }
  std::string column() {
    return identifier(pick({"id", "id", "id", "name", "name", "body", "password", "age", "twice",
                            "author", "rowid", "oid", "label", "a", "p", "n"}));
  }
  std::string table() {
    if (below(20) == 0) return "json_each('[1,2]')";
    return str(below(8) == 0 ? "main." : "", identifier(pick({"users",
                                                              "users",
                                                              "users",
                                                              "notes",
                                                              "notes",
                                                              "mine",
                                                              "mine",
                                                              "shown",
                                                              "notes_search",
                                                              "secrets",
                                                              "secrets",
                                                              "tags",
                                                              "names",
                                                              "short_names",
                                                              "totals",
                                                              "hidden",
                                                              "notes_search_content",
                                                              "words",
                                                              "plain",
                                                              "sqlite_schema",
                                                              "c",
                                                              "d"})));
  }
  std::string expression(int depth) {
    switch (below(depth <= 0 ? 4 : 15)) {
      case 0:
        return std::to_string(below(3));
      case 1:
      case 2:
      case 3:
        return str(pick({"", "", "", "", "x.", "y.", "users.", "secrets.", "excluded."}), column());
      case 4:
        return str("(", expression(depth - 1), " = ", expression(depth - 1), ")");
      case 5:
        return str("(", query(depth - 1), ")");
      case 6:
        return str("exists (", query(depth - 1), ")");
      case 7:
        return str(expression(depth - 1), " in (", query(depth - 1), ")");
      case 8:
        return str(expression(depth - 1), " in ", table());
      case 9:
        return str("length(", expression(depth - 1), ")");
      case 10:
        return "count(*)";
      case 11:
        return str("max(", expression(depth - 1), ")");
      case 12:
        return str("case when ", expression(depth - 1), " then 1 else 0 end");
      case 13:
        return str("sum(1) over (partition by ", expression(depth - 1), ")");
      default:
        return str("coalesce(", expression(depth - 1), ", ", expression(depth - 1), ")");
    }
  }
  std::string item(int depth) { return below(6) == 0 ? str("(", query(depth - 1), ")") : table(); }
  std::string source(int depth) {
    std::string text = str(item(depth), pick({"", " x", " as x"}));
    if (below(3) != 0) return text;
    text += str(pick({" join ", " left join ", " right join ", " full join ", ", ",
                      " natural join ", " cross join ", " natural left join "}),
                item(depth), pick({"", " as y"}));
    if (below(3) == 0) return str(text, " on ", expression(depth - 1));
    return below(4) == 0 ? str(text, " using (", column(), ")") : text;
  }
  std::string columns(int depth) {
    switch (below(6)) {
      case 0:
        return "*";
      case 1:
        return "count(*)";
      case 2:
        return std::string(pick({"x.*", "users.*", "y.*"}));
      default:
        return str(expression(depth - 1),
                   maybe(", ", [this, depth] { return str(expression(depth - 1), " as p"); }));
    }
  }
  std::string where(int depth) {
    return maybe(" where ", [this, depth] { return expression(depth - 1); });
  }
  std::string returning() {
    return maybe(" returning ", [this] { return columns(2); });
  }
  std::string commonTable(int depth) {
    return str(identifier(pick({"c", "d", "names", "shown", "users", "totals", "hidden", "secrets",
                                "tags_log", "mine", "short_names"})),
               pick({"", "", " (a)"}), " as ", pick({"", "", "materialized ", "not materialized "}),
               "(", query(depth - 1), ")");
  }
  std::string with(int depth) {
    if (below(5) != 0) return {};
    return str(pick({"with ", "with recursive "}), commonTable(depth),
               maybe(", ", [this, depth] { return commonTable(depth); }), " ");
  }
  std::string query(int depth) {
    if (depth <= 0) return str("select ", column(), " from ", table());
    std::string text = str(with(depth), "select ", columns(depth));
    if (below(12) != 0) text += str(" from ", source(depth));
    text += where(depth);
    if (below(8) == 0) text += str(" group by ", expression(depth - 1));
    if (below(8) == 0) {
      text += str(pick({" union all ", " union ", " except ", " intersect "}), "select ",
                  columns(depth), " from ", source(depth - 1));
    }
    if (below(8) == 0) text += str(" order by ", expression(depth - 1));
    return text;
  }
  std::string insertion() {
    return str(pick({"insert into ", "replace into ", "insert or ignore into "}), table(),
               pick({"", "", " as x"}),
               pick({"", "", " (id)", " (id, name)", " (body)", " (author, body)"}), " ", query(2),
               maybe(" where true on conflict do update set ",
                     [this] { return str(column(), " = ", expression(2)); }),
               returning());
  }

  std::mt19937 random_;
};

class World {
 public:
  World(std::string_view secret, int secrets) {
    for (const std::string& sql : std::vector<std::string>{
             "create table users (id integer primary key, name text, password text, age integer,"
             " twice integer generated always as (length(password)) virtual)",
             "create table secrets (id integer primary key, name text, password text)",
             "create table notes (id integer primary key, author integer, body text)",
             "create table mine (id integer primary key, name text, password text)",
             "create table plain (id integer primary key, name text, password text)",
             "create table tags (id integer primary key, label text)",
             "create table log (entry text)",
             "create view names as select id, name from users where password > 'm'",
             "create view short_names as select name from names",
             "create view totals as select count(*) as n from secrets",
             "create view hidden as with c as (select password from users) select * from c",
             "create view shown as select u.name, t.n from users as u, (select 1 as n) as t",
             "create virtual table notes_search using fts5 (body)",
             "create virtual table words using fts5 (word)",
             "create trigger tags_log after insert on tags begin insert into log values (1); end",
             str("insert into users (id, name, password, age) values (1, 'Ada', '", secret,
                 "', 36), (2, 's', 'z", secret, "', 2)"),
             str("insert into plain values (1, '", secret, "', '", secret, "')"),
             str("insert into words values ('", secret, "')"),
             "insert into notes_search values ('open words')",
             "insert into notes values (1, 1, 'b'), (2, 2, 's')"}) {
      database_.execute(sql, Rules::Guest);
    }
    for (int i = 0; i < secrets; ++i) {
      database_.execute(str("insert into secrets (name) values ('", secret, "')"), Rules::Guest);
    }
    const std::vector<std::string> reads{"users.id", "users.name", "users.age",    "notes",
                                         "tags",     "mine",       "notes_search", "shown"};
    const std::vector<std::string> writes{"notes", "mine", "tags", "users.name"};
    database_.useCapabilities(Capabilities::parse(reads, writes));
  }

  // What the session sees of `sql`, and of what it did; nothing of it stays.
  std::string outcome(const std::string& sql) {
    database_.execute("savepoint attempt", Rules::Host);
    std::string text;
    try {
      text = rows(sql, Rules::Guest);
      for (const char* stored : {"select * from mine", "select * from notes",
                                 "select id, name, age from users", "select * from log"}) {
        text += rows(stored, Rules::Host);
      }
    } catch (const Error& error) {
      text = error.message();
    }
    if (database_.inTransaction()) {
      database_.execute("rollback to attempt", Rules::Host);
      database_.execute("release attempt", Rules::Host);
    }
    return text;
  }

 private:
  std::string rows(std::string_view sql, Rules rules) {
    Statement statement = database_.prepare(sql, rules);
    Execution execution(statement);
    std::string text = "\n";
    for (int row = 0; row < 50 && execution.step(); ++row) {
      for (int column = 0; column < statement.columnCount(); ++column) {
        const ValueView value = execution.column(column);
        text += str(static_cast<int>(value.kind), ":", value.integer, value.real, value.bytes, "|");
      }
    }
    return text;
  }

  Database database_{{}};
};

TEST(Capabilities, LetNoRandomStatementTellWhatIsNotGranted) {
  Author author(seedOr(7));
  World one("aaaa", 3);
  World other("zz", 1);
  int allowed = 0;
  for (int i = 0; i < 5'000; ++i) {
    const std::string sql = author.statement();
    const std::string answer = one.outcome(sql);
    ASSERT_EQ(answer, other.outcome(sql)) << sql;
    if (answer.starts_with('\n')) ++allowed;
  }
  // Otherwise the statements are none, and the test is not one.
  EXPECT_GT(allowed, 100);
}

}  // namespace
}  // namespace schemascript
