// What is written of a database, to the letter. That it comes back as it was is held by
// test/pull.test.mjs, which evaluates it.
#include "migrate/pull.h"

#include <gtest/gtest.h>

#include "base/testing.h"
#include "migrate/table-text.h"
#include "migrate/typescript.h"

namespace schemascript {
namespace {

// Behind the comment at the head.
std::string pulledText(std::string_view sql) {
  Database database({});
  std::size_t at = 0;
  while (auto statement = database.tryPrepareNext(sql, at, Rules::Host)) statement->run();
  const PulledSchema pulled = pull(database);
  EXPECT_FALSE(database.inTransaction());
  EXPECT_TRUE(pulled.leftOut.empty()) << pulled.leftOut[0].what << pulled.leftOut[0].why;
  return pulled.text.substr(pulled.text.find('\n') + 1);
}

TEST(Pull, WritesWhatTheLanguageHasWordsFor) {
  EXPECT_EQ(pulledText(R"sql(
    create table users (
      id integer primary key,
      email text not null check (length(email) >= 3 and instr(email, char(0)) = 0),
      role text not null default 'guest' check (role in ('admin', 'guest')),
      active integer not null default 1 check (active in (0, 1)),
      created_at integer not null default (unixepoch()),
      boss_id integer references users on delete set null,
      loud text as (upper(email)) stored
    ) strict;
    create unique index users_email_unique on users (email);
    create index by_role on users (role desc, active) where active;
    create table seats (
      row text, number integer, price real default 0.5, constraint positive check (price > number),
      primary key (row, number)
    ) strict, without rowid;
    create table tickets (
      id integer primary key autoincrement, row text, number integer,
      constraint seat foreign key (row, number) references seats on update cascade
    ) strict;
  )sql"),
            R"ts(import { sql } from "drizzle-orm";
import { Table, value } from "schemascript";

export const users = Table(
  "users",
  (prop) => ({
    id: prop.integer().identifier(),
    email: prop.text().unique().min(3),
    role: prop.enum({ options: ["admin", "guest"] }).default("guest"),
    active: prop.boolean().default(true),
    createdAt: prop.integer("created_at").default(value.now()),
    bossId: prop
      .integer("boss_id")
      .optional()
      .references(() => users.id, { onDelete: "set null" }),
    loud: prop
      .text()
      .optional()
      .generated(sql`upper(email)`, { stored: true }),
  }),
  { indexes: [{ on: [sql`role desc`, "active"], where: sql`active`, name: "by_role" }] },
);

export const seats = Table(
  "seats",
  (prop) => ({
    row: prop.text(),
    number: prop.integer(),
    price: prop.real().optional().default(0.5),
  }),
  { withoutRowid: true, identifier: ["row", "number"], checks: { positive: sql`price > number` } },
);

export const tickets = Table(
  "tickets",
  (prop) => ({
    id: prop.integer().identifier({ autoIncrement: true }),
    row: prop.text().optional(),
    number: prop.integer().optional(),
  }),
  {
    foreignKeys: [
      {
        columns: ["row", "number"],
        references: () => [seats.row, seats.number],
        onUpdate: "cascade",
        name: "seat",
      },
    ],
  },
);
)ts");
}

TEST(Pull, WritesWhatOnlyDatabasesHaveThatWereMadeByHand) {
  EXPECT_EQ(pulledText(R"sql(
    CREATE TABLE [Order Details] (OrderID CHAR(5) PRIMARY KEY, Note NVARCHAR(9) COLLATE NOCASE UNIQUE, x);
    CREATE TABLE odd (a TEXT PRIMARY KEY ON CONFLICT REPLACE);
    CREATE VIEW notes AS SELECT Note, 1 + 1 FROM [Order Details];
    CREATE TRIGGER log AFTER INSERT ON odd BEGIN SELECT '`${1}`'; END;
  )sql"),
            R"ts(import { sql } from "drizzle-orm";
import { Statement, Table, View } from "schemascript";

// What a column holds whose type is not known.
type Stored = number | bigint | string | Uint8Array;

export const orderDetails = Table(
  "Order Details",
  (prop) => ({
    orderId: prop.text("OrderID").declaredAs("CHAR(5)").identifier().withoutNotNull(),
    note: prop
      .text("Note")
      .declaredAs("NVARCHAR(9)")
      .collate("nocase")
      .optional()
      .unique({ constraint: true }),
    x: prop.custom<Stored>("any").optional(),
  }),
  { strict: false },
);

export const odd = Table(
  "odd",
  (prop) => ({
    a: prop.text().identifier().withoutNotNull(),
  }),
  { strict: false, statement: sql`CREATE TABLE odd (a TEXT PRIMARY KEY ON CONFLICT REPLACE)` },
);

export const notes = View(
  "notes",
  (prop) => ({
    note: prop.text("Note").optional(),
    _11: prop.custom<Stored>("any", { name: "1 + 1" }).optional(),
  }),
  sql`SELECT Note, 1 + 1 FROM [Order Details]`,
);

Statement(sql`CREATE TRIGGER log AFTER INSERT ON odd BEGIN SELECT '\`\${1}\`'; END`);
)ts");
}

TEST(Pull, LeavesOutWhatASchemaCannotHave) {
  Database database({});
  for (const char* sql :
       {"create table a (b)", "create virtual table boxes using rtree(id, x0, x1)",
        "create view broken as select * from nowhere"}) {
    database.execute(sql, Rules::Host);
  }
  const PulledSchema pulled = pull(database);
  std::string all;
  for (const LeftOut& each : pulled.leftOut) all += str(each.what, ": ", each.why, '\n');
  EXPECT_NE(all.find("table \"boxes_node\": it is a part of a virtual table\n"), all.npos) << all;
  EXPECT_NE(all.find("virtual table \"boxes\": "), all.npos) << all;
  EXPECT_NE(all.find("view \"broken\": "), all.npos) << all;
  EXPECT_EQ(pulled.leftOut.size(), 5u) << all;
  EXPECT_EQ(pulled.schema.tables.size(), 1u);
  EXPECT_NE(pulled.text.find("\n// Left out: view \"broken\": "), std::string::npos) << pulled.text;
}

TEST(Pull, WritesAnEmptyModuleOfAnEmptyDatabase) { EXPECT_EQ(pulledText(""), "export {};\n"); }

TEST(Pull, IsStoppedByAnInterrupt) {
  Database database({});
  database.execute("create table a (b)", Rules::Host);
  database.interrupt();
  EXPECT_EQ(errorOf([&database] { pull(database); }).code(), ErrorCode::LimitExceeded);
  EXPECT_FALSE(database.inTransaction());
}

TEST(TypeScript, WritesTextsThatStayTexts) {
  EXPECT_EQ(stringLiteral("it's"), "\"it's\"");
  EXPECT_EQ(stringLiteral("\"); evil(\\"), R"("\"); evil(\\")");
  EXPECT_EQ(stringLiteral("a\nb\tc\r\x01"), R"("a\nb\tc\u{d}\u{1}")");
  EXPECT_EQ(stringLiteral("\u2028\u202e\ufeff\u00a0ß名😀"),
            "\"\\u{2028}\\u{202e}\\u{feff}\\u{a0}ß名😀\"");
  EXPECT_EQ(stringLiteral(std::string_view("\0", 1)), R"("\u{0}")");
  EXPECT_EQ(templateLiteral("a\n`${x}` \\n \"'"), "`a\n\\`\\${x}\\` \\\\n \"'`");
  EXPECT_EQ(templateLiteral("a\r\nb\u2029"), "`a\\u{d}\nb\\u{2029}`");
}

TEST(TypeScript, MakesNamesOfAnyText) {
  Identifiers columns(Identifiers::Of::Columns);
  for (const auto& [text, name] :
       std::initializer_list<std::pair<const char*, const char*>>{{"user_name", "userName"},
                                                                  {"UserName", "userName2"},
                                                                  {"USER NAME", "userName3"},
                                                                  {"ID", "id"},
                                                                  {"HTTPServerID", "httpServerId"},
                                                                  {"address2", "address2"},
                                                                  {"address", "address"},
                                                                  {"2nd", "_2nd"},
                                                                  {"", "column"},
                                                                  {"-", "column2"},
                                                                  {"größe", "größe"},
                                                                  {"имя", "имя"},
                                                                  {"名前", "名前"},
                                                                  {"😀 x", "x"},
                                                                  {"constructor", "constructor2"},
                                                                  {"__proto__", "proto"},
                                                                  {"class", "class"}}) {
    EXPECT_EQ(columns.nameFor(text), name) << text;
  }
  Identifiers tables(Identifiers::Of::Tables);
  for (const auto& [text, name] :
       std::initializer_list<std::pair<const char*, const char*>>{{"class", "classTable"},
                                                                  {"Class", "classTable2"},
                                                                  {"sql", "sqlTable"},
                                                                  {"prop", "propTable"},
                                                                  {"constructor", "constructor"},
                                                                  {"\"); evil(", "evil"},
                                                                  {"evil", "evilTable"},
                                                                  {"x1", "x1"},
                                                                  {"X1", "x1Table"},
                                                                  {"", "table"}}) {
    EXPECT_EQ(tables.nameFor(text), name) << text;
  }
}

TEST(TableText, TellsWhatIntrospectionDoesNot) {
  const CreateTable table = readTableText(R"sql(create table "t" (
    a text constraint pk primary key check (a > 0) collate "NoCase", -- check (no)
    [b] decimal(10, 2) default (1) constraint c1 check (b /* , */ in (1, 2)) references p deferrable initially deferred,
    'c' as (a || ')') stored,
    d default check_me,
    constraint fk foreign key (a) references q (x), check (a <> ',')
  ) strict, without rowid)sql");
  EXPECT_EQ(table.columns.at("a").collation, "NoCase");
  EXPECT_EQ(table.columns.at("c").generated, "a || ')'");
  ASSERT_EQ(table.columns.size(), 4u);
  ASSERT_EQ(table.checks.size(), 3u);
  EXPECT_EQ(table.checks[0].name, "");
  EXPECT_EQ(table.checks[0].column, "a");
  EXPECT_EQ(table.checks[1].name, "c1");
  EXPECT_EQ(table.checks[1].expression, "b in (1, 2)");
  EXPECT_EQ(table.checks[2].column, "");
  ASSERT_EQ(table.foreignKeys.size(), 2u);
  EXPECT_TRUE(table.foreignKeys[0].isDeferred);
  EXPECT_EQ(table.foreignKeys[1].name, "fk");
  EXPECT_FALSE(table.foreignKeys[1].isDeferred);
  EXPECT_TRUE(table.isStrict && table.isWithoutRowid);
  EXPECT_EQ(table.oddity, "");
  for (const char* odd :
       {"create table t (a integer primary key desc)",
        "create table t (a unique on conflict ignore)",
        "create table t (a, primary key (a collate nocase))", "create table t (a, unique (a desc))",
        "create table t (a references b not deferrable initially deferred)"}) {
    EXPECT_NE(readTableText(odd).oddity, "") << odd;
  }
  EXPECT_TRUE(
      readTableText("create table t (a integer, primary key (a autoincrement))").isAutoincrement);
}

// What the comparison takes for the same.
TEST(Pull, ComparesBySenseNotByWords) {
  const auto read = [](std::initializer_list<const char*> statements) {
    Database database({});
    for (const char* sql : statements) database.execute(sql, Rules::Host);
    return readSchema(database);
  };
  const auto differences = [&read](const char* one, const char* other) {
    const char* const parent = "create table p (x integer, y text, primary key (x, y))";
    const char* const single = "create table s (id integer primary key)";
    return differencesBetween(read({parent, single, one}), read({parent, single, other})).size();
  };
  EXPECT_EQ(differences("create table t (a references s)", "create table t (a references s (id))"),
            0u);
  EXPECT_EQ(differences("create table t (a, b, foreign key (a, b) references p)",
                        "create table t (a, b, foreign key (a, b) references p (x, y))"),
            0u);
  EXPECT_NE(differences("create table t (a, b, foreign key (a, b) references p)",
                        "create table t (a, b, foreign key (a, b) references p (y, x))"),
            0u);
  EXPECT_NE(differences("create table t (a references p)", "create table t (a references p (x))"),
            0u);
  EXPECT_EQ(differences("create table t (a default 'Ab')", "create table t (a default \"Ab\")"),
            0u);
  EXPECT_EQ(differences("create table t (a default 'Ab')", "create table t (a default Ab)"), 0u);
  EXPECT_NE(differences("create table t (a default 'Ab')", "create table t (a default ab)"), 0u);
  EXPECT_NE(differences("create table t (a default 'true')", "create table t (a default true)"),
            0u);
  EXPECT_EQ(differences("create table t (a integer primary key autoincrement)",
                        "create table t (a integer, primary key (a autoincrement))"),
            0u);
  EXPECT_NE(differences("create table t (a integer primary key)",
                        "create table t (a integer, primary key (a autoincrement))"),
            0u);
  EXPECT_NE(differences("create table t ('a' text collate nocase)", "create table t (a text)"), 0u);
}

}  // namespace
}  // namespace schemascript
