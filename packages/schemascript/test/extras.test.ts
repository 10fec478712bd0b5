// What a table has beyond its columns, in SQL, in the database and in Drizzle's table; views; search.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { eq, sql, type SQL } from "drizzle-orm";
import {
  getTableConfig,
  integer,
  QueryBuilder,
  SQLiteSyncDialect,
  sqliteTable,
} from "drizzle-orm/sqlite-core";
import {
  Schema,
  schemaStatements,
  search,
  searchWords,
  Table,
  View,
  type FieldBuilder,
} from "schemascript";
import { databaseOver } from "schemascript/internal";
import { TestHost } from "./support.js";

type Loose = any;

async function opened(...tables: readonly object[]) {
  const host = new TestHost();
  const db = databaseOver(host.call)();
  for (const statement of schemaStatements(tables as never)) await db.run(statement);
  return db;
}

const seats = Table(
  "seats",
  (prop) => ({
    row: prop.text(),
    number: prop.integer("seat_number"),
    code: prop.text(),
    price: prop.integer().optional(),
  }),
  (columns) => ({
    identifier: ["row", columns.number],
    unique: [["code", "price"]],
    indexes: [
      { on: [sql`lower(${columns.code})`, "price"], where: sql`${columns.price} > ${10}` },
      { on: ["price"], unique: true, name: "seats_by_price" },
    ],
    checks: [sql`${columns.price} <> ${columns.number}`],
    withoutRowid: true,
  }),
);
const tickets = Table(
  "tickets",
  (prop) => ({
    id: prop.integer().identifier(),
    row: prop.text(),
    number: prop.integer(),
  }),
  {
    foreignKeys: [
      {
        columns: ["row", "number"],
        references: () => [seats.row, seats.number],
        onDelete: "cascade",
        onUpdate: "restrict",
      },
    ],
    checks: { tickets_numbered: sql`number > 0` },
  },
);

test("they are written behind the columns", () => {
  assert.deepEqual(schemaStatements([tickets, seats]), [
    `CREATE TABLE "seats" (
  "row" TEXT NOT NULL,
  "seat_number" INTEGER NOT NULL,
  "code" TEXT NOT NULL,
  "price" INTEGER,
  PRIMARY KEY ("row", "seat_number"),
  CONSTRAINT "seats_check_1" CHECK ("price" <> "seat_number")
) STRICT, WITHOUT ROWID;`,
    'CREATE UNIQUE INDEX "seats_code_price_unique" ON "seats" ("code", "price");',
    'CREATE INDEX "seats_sql_price_index" ON "seats" (lower("code"), "price") WHERE "price" > 10;',
    'CREATE UNIQUE INDEX "seats_by_price" ON "seats" ("price");',
    `CREATE TABLE "tickets" (
  "id" INTEGER PRIMARY KEY,
  "row" TEXT NOT NULL,
  "number" INTEGER NOT NULL,
  CONSTRAINT "tickets_numbered" CHECK (number > 0),
  CONSTRAINT "tickets_row_number_fk" FOREIGN KEY ("row", "number") REFERENCES "seats" ("row", "seat_number") ON DELETE CASCADE ON UPDATE RESTRICT
) STRICT;`,
  ]);
});

test("the database enforces them", async () => {
  const db = await opened(seats, tickets);
  const seat = { row: "A", number: 1, code: "x", price: 20 };
  await db.insert(seats).values(seat);
  const refused = async (query: PromiseLike<unknown>) =>
    assert.rejects(
      async () => query,
      (error: Error) =>
        /constraint failed/.test(((error.cause as Error | undefined) ?? error).message),
    );
  await refused(db.insert(seats).values({ ...seat, code: "y", price: 21 }));
  await refused(db.insert(seats).values({ ...seat, number: 2 }));
  await refused(db.insert(seats).values({ ...seat, number: 5, price: 5 }));
  await refused(db.insert(tickets).values({ row: "A", number: 2 }));
  await refused(db.insert(tickets).values({ row: "A", number: 0 }));
  await db.insert(tickets).values({ row: "A", number: 1 });
  await db.delete(seats);
  assert.equal(await db.$count(tickets), 0);
});

test("Drizzle's table has them too", () => {
  const config = getTableConfig(seats);
  assert.deepEqual(
    config.primaryKeys.map(({ columns }) => columns.map(({ name }) => name)),
    [["row", "seat_number"]],
  );
  assert.deepEqual(
    config.indexes.map(({ config: { name, unique, where } }) => [
      name,
      unique,
      where !== undefined,
    ]),
    [
      ["seats_code_price_unique", true, false],
      ["seats_sql_price_index", false, true],
      ["seats_by_price", true, false],
    ],
  );
  const [key] = getTableConfig(tickets).foreignKeys;
  assert.equal(key?.getName(), "tickets_row_number_fk");
  assert.deepEqual([key?.onDelete, key?.onUpdate], ["cascade", "restrict"]);
  assert.deepEqual(key?.reference().foreignColumns, [seats.row, seats.number]);
  assert.deepEqual(
    getTableConfig(tickets).checks.map(({ name }) => name),
    ["tickets_numbered"],
  );
});

test("a table need not be STRICT", async () => {
  const loose = Table("loose", (prop) => ({ id: prop.integer(), any: prop.custom("any") }), {
    strict: false,
  });
  assert.deepEqual(schemaStatements([loose]), [
    'CREATE TABLE "loose" (\n  "id" INTEGER NOT NULL,\n  "any" NOT NULL\n);',
  ]);
  const db = await opened(loose);
  await db.run(sql`insert into loose values ('text', 5)`);
});

test("what cannot be is refused with a sentence", () => {
  const columns = (prop: FieldBuilder) => ({
    id: prop.integer().identifier(),
    name: prop.text(),
    nick: prop.text().optional(),
    list: prop.text().array(),
    made: prop.text().generated(sql`''`),
  });
  const keyless = (prop: FieldBuilder) => {
    const { id, ...others } = columns(prop);
    return { ...others, id: prop.integer() };
  };
  const cases: readonly [Loose, Loose, string][] = [
    [columns, { identifier: ["name"] }, "t: a table has one identifier"],
    [keyless, { identifier: ["id", "nick"] }, "t: an identifier cannot be optional"],
    [keyless, { identifier: ["id", "list"] }, "t: an identifier cannot be an array"],
    [keyless, { identifier: ["id", "made"] }, "t: a generated column cannot be an identifier"],
    [keyless, { identifier: [] }, "t: its identifier is a list of columns, at least one"],
    [keyless, { identifier: ["id", "id"] }, "t: its identifier names a column twice"],
    [columns, { unique: [["mail"]] }, "t: its unique names mail, which is no column of it"],
    [columns, { unique: [[seats.row]] }, "t: its unique names row, which is no column of it"],
    [columns, { indexes: [{ on: [] }] }, "t: an index is on columns or SQL, at least one"],
    [columns, { indexes: [{ on: ["id"], where: "id" }] }, "t: the where of an index is SQL"],
    [columns, { checks: ["id > 0"] }, "t: the check t_check_1 is not SQL"],
    [columns, { checks: { c: 1 } }, "t: the check c is not SQL"],
    [keyless, { withoutRowid: true }, "t: a table without rowid needs an identifier"],
    [
      (prop: FieldBuilder) => ({ id: prop.integer().identifier({ autoIncrement: true }) }),
      { withoutRowid: true },
      "t: a table without rowid has no autoIncrement",
    ],
    [columns, { withoutRowid: true, search: ["name"] }, "t: a table without rowid has no search"],
    [keyless, { search: ["name"] }, "t: search needs an integer identifier"],
    [columns, { search: ["id"] }, "t: search reads texts"],
    [columns, { search: ["list"] }, "t: search reads texts"],
    [
      columns,
      {
        unique: [
          ["id", "name"],
          ["id", "name"],
        ],
      },
      "t: two indexes or checks are called t_id_name_unique: name one of them",
    ],
    [
      columns,
      { foreignKeys: [{ columns: ["id"], references: [seats.row] }] },
      "t: the references of a foreign key are a function: () => [users.id]",
    ],
    [columns, "strict", "t: the extras are an object, or a function that answers one"],
  ];
  for (const [builder, extras, sentence] of cases) {
    assert.throws(() => Table("t", builder, extras), { code: "invalid-schema", message: sentence });
  }
  assert.throws(() => (Table as Loose)("t", columns, { uniq: [] }), /there is no extra "uniq"/);
});

test("a foreign key that SQLite would refuse later is refused when SQL is made", () => {
  const two = (prop: FieldBuilder) => ({ a: prop.text(), b: prop.integer() });
  const leading = (references: () => unknown) =>
    schemaStatements([Table("f", two, { foreignKeys: [{ columns: ["a", "b"], references }] })]);
  assert.throws(
    () => leading(() => [seats.row]),
    /the foreign key f_a_b_fk must reference as many columns/,
  );
  assert.throws(() => leading(() => [seats.row, tickets.id]), /as many columns of one table/);
  assert.throws(
    () => leading(() => [seats.number, seats.row]),
    /leads from a, TEXT, to seats\.seat_number, which is INTEGER/,
  );
  assert.throws(
    () => leading(() => [seats.code, seats.number]),
    /neither an identifier nor unique together/,
  );
  const plain = sqliteTable("plain", { x: integer(), y: integer() });
  assert.doesNotThrow(() => leading(() => [plain.x, plain.y]));
  const unique = Table("u", (prop) => ({ a: prop.text(), b: prop.text() }), { unique: [["a"]] });
  const single = Table("r", (prop) => ({ a: prop.text().references(() => unique.a) }));
  assert.doesNotThrow(() => schemaStatements([single, unique]));
});

test("a view is a query with a name", async () => {
  const people = Table("people", (prop) => ({
    id: prop.integer().identifier(),
    name: prop.text(),
    active: prop.boolean(),
    born: prop.datetime(),
  }));
  const active = View("active", (query) =>
    query
      .select({
        id: people.id,
        name: people.name,
        born: people.born,
        loud: sql<string>`upper(${people.name})`.as("loud"),
      })
      .from(people)
      .where(eq(people.active, true)),
  );
  const elders = View("elders", new QueryBuilder().select({ name: active.name }).from(active));
  assert.deepEqual(schemaStatements([elders, active, people]).slice(1).sort(), [
    'CREATE VIEW "active" ("id", "name", "born", "loud") AS\n  select "id", "name", "born", upper("name") as "loud" from "people" where "people"."active" = 1;',
    'CREATE VIEW "elders" ("name") AS\n  select "name" from "active";',
  ]);
  const db = await opened(people, active, elders);
  await db.insert(people).values([
    { name: "Ada", active: true, born: new Date(5) },
    { name: "Bo", active: false, born: new Date(6) },
  ]);
  assert.deepEqual(await db.select().from(active), [
    { id: 1, name: "Ada", born: new Date(5), loud: "ADA" },
  ]);
  assert.deepEqual(await db.select().from(elders).where(eq(elders.name, "Ada")), [{ name: "Ada" }]);
  assert.throws(
    () => View("both", (query) => query.select({ a: people.id, b: people.id }).from(people)),
    /^SchemaScriptError: both: two columns of a view are called id/,
  );
  assert.throws(
    () => View("unnamed", (query) => query.select({ a: sql`1` }).from(people)),
    /^SchemaScriptError: unnamed\.a is an expression without a name: \.as\("a"\)/,
  );
  assert.throws(() => (View as Loose)("nothing", () => people), /a view is a select/);
  const Named = Schema("people_of", (prop) => ({ id: prop.integer().identifier() }));
  assert.throws(
    () =>
      schemaStatements([
        Named,
        View("People_Of", (query) => query.select({ id: people.id }).from(people)),
      ]),
    /^SchemaScriptError: two different tables or views are called People_Of/,
  );
});

const notes = Table(
  "notes's",
  (prop) => ({
    id: prop.integer("note id").identifier(),
    title: prop.text(),
    body: prop.text("the body").optional(),
    size: prop.integer().default(0),
  }),
  { search: ["title", "body"] },
);

test("search is an index of its own and three triggers", () => {
  const statements = schemaStatements([notes]);
  assert.deepEqual(statements.slice(1), [
    `CREATE VIRTUAL TABLE "notes's_search" USING fts5("title", "the body", content='notes''s', content_rowid='note id');`,
    `CREATE TRIGGER "notes's_search_insert" AFTER INSERT ON "notes's" BEGIN
  INSERT INTO "notes's_search" (rowid, "title", "the body") VALUES (new."note id", new."title", new."the body");
END;`,
    `CREATE TRIGGER "notes's_search_delete" AFTER DELETE ON "notes's" BEGIN
  INSERT INTO "notes's_search" ("notes's_search", rowid, "title", "the body") VALUES ('delete', old."note id", old."title", old."the body");
END;`,
    `CREATE TRIGGER "notes's_search_update" AFTER UPDATE OF "note id", "title", "the body" ON "notes's" BEGIN
  INSERT INTO "notes's_search" ("notes's_search", rowid, "title", "the body") VALUES ('delete', old."note id", old."title", old."the body");
  INSERT INTO "notes's_search" (rowid, "title", "the body") VALUES (new."note id", new."title", new."the body");
END;`,
  ]);
});

test("names that two would have are refused", () => {
  const columns = (prop: FieldBuilder) => ({
    a: prop.text(),
    b: prop.text(),
    a_b: prop.text().unique(),
  });
  assert.throws(() => Table("t", columns, { unique: [["a", "b"]] }), /are called t_a_b_unique/);
  const other = Schema("Notes's_Search", (prop) => ({ id: prop.integer().identifier() }));
  assert.throws(
    () => schemaStatements([notes, other]),
    /^SchemaScriptError: notes's: its search is a table notes's_search, and another has that name/,
  );
});

test("what a person types breaks no search", () => {
  assert.equal(searchWords("  sqlite  driz "), '"sqlite" "driz"*');
  assert.equal(searchWords('a"b AND -'), '"a""b" "AND"*');
  assert.equal(searchWords(" - ( "), '""');
});

// The SQLite of the other tests has no FTS5; the command-line tool has.
const hasFts5 =
  spawnSync("sqlite3", [":memory:", "create virtual table x using fts5(a)"]).status === 0;

test(
  "search finds, ranks and marks, and keeps in step",
  { skip: !hasFts5 && "no sqlite3 with FTS5" },
  () => {
    const rows = [
      { title: "SQLite", body: "a database, and a small one: sqlite" },
      { title: "Drizzle", body: "an ORM over SQLite" },
      { title: "Other" },
    ];
    const query = new QueryBuilder();
    const found = search(notes, "sqlite");
    const ask = (condition: SQL, order: SQL) =>
      text(query.select({ id: notes.id }).from(notes).where(condition).orderBy(order).getSQL());
    const moved = search(notes, searchWords("other moved"));
    const script = [
      ...schemaStatements([notes]),
      ...rows.map(({ title, body = null }) =>
        text(sql`insert into ${notes} (title, "the body") values (${title}, ${body})`),
      ),
      ask(found, found.rank),
      text(
        query
          .select({
            title: sql`${found.highlight("title", "<", ">")}`.as("t"),
            body: sql`${found.snippet("body", "<", ">", 4)}`.as("b"),
          })
          .from(notes)
          .where(found)
          .orderBy(found.rank)
          .getSQL(),
      ),
      text(sql`update ${notes} set title = 'Other, moved' where title = 'Other'`),
      ask(moved, moved.rank),
      text(sql`delete from ${notes} where title = 'SQLite'`),
      text(sql`update ${notes} set "note id" = 20 where title = 'Drizzle'`),
      ask(found, found.rank),
      ask(search(notes, searchWords("-")), sql`1`),
      text(
        sql`insert into ${sql.identifier("notes's_search")} (${sql.identifier("notes's_search")}) values ('integrity-check')`,
      ),
    ];
    const { stdout, stderr } = spawnSync("sqlite3", [":memory:"], {
      input: script.map((each) => (each.endsWith(";") ? each : `${each};`)).join("\n"),
      encoding: "utf8",
    });
    assert.equal(stderr, "");
    assert.deepEqual(stdout.trim().split("\n"), [
      "1",
      "2",
      "<SQLite>|…a small one: <sqlite>",
      "Drizzle|an ORM over <SQLite>",
      "3",
      "20",
    ]);
  },
);

// With its values in it, as the columns of a view's query have them.
function text(query: SQL): string {
  return new SQLiteSyncDialect().sqlToQuery(query.inlineParams()).sql;
}
