// What databases have that were not made by this language, in its words: declared types, collations,
// constraints of the table itself, statements as they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eq, sql } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { describeSchema, schemaStatements, Statement, Table, View } from "schemascript";
import { databaseOver } from "schemascript/internal";
import { TestHost } from "./support.js";

type Loose = any;

const artists = Table(
  "Artist",
  (prop) => ({
    artistId: prop.integer("ArtistId").identifier(),
    name: prop
      .text("Name")
      .declaredAs("NVARCHAR(120)")
      .collate("nocase")
      .unique({ constraint: true }),
    fee: prop.real().declaredAs("DECIMAL(10, 2)").optional(),
  }),
  { strict: false },
);
const albums = Table(
  "Album",
  (prop) => ({
    code: prop.text().identifier().withoutNotNull(),
    side: prop.integer().declaredAs("INT"),
    artistId: prop
      .integer()
      .declaredAs("INT")
      .references(() => artists.artistId, { onDelete: "cascade", deferred: true }),
    artistName: prop.text(),
  }),
  {
    strict: false,
    unique: [{ on: ["code", "side"], constraint: true }, ["side", "artistId"]],
    foreignKeys: [
      { columns: ["artistName"], references: () => [artists.name], deferred: true, name: "named" },
    ],
  },
);

test("they are written as such databases have them", () => {
  assert.deepEqual(schemaStatements([albums, artists]), [
    `CREATE TABLE "Artist" (
  "ArtistId" INTEGER PRIMARY KEY,
  "Name" NVARCHAR(120) NOT NULL UNIQUE COLLATE nocase,
  "fee" DECIMAL(10, 2)
);`,
    `CREATE TABLE "Album" (
  "code" TEXT PRIMARY KEY,
  "side" INT NOT NULL,
  "artistId" INT NOT NULL REFERENCES "Artist" ("ArtistId") ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  "artistName" TEXT NOT NULL,
  UNIQUE ("code", "side"),
  CONSTRAINT "named" FOREIGN KEY ("artistName") REFERENCES "Artist" ("Name") DEFERRABLE INITIALLY DEFERRED
);`,
    'CREATE UNIQUE INDEX "Album_side_artistId_unique" ON "Album" ("side", "artistId");',
  ]);
  assert.deepEqual(
    getTableConfig(artists).columns.map((column) => column.getSQLType()),
    ["integer", "nvarchar(120)", "decimal(10, 2)"],
  );
});

test("the database enforces them", async () => {
  const host = new TestHost();
  const db = databaseOver(host.call)();
  for (const statement of schemaStatements([albums, artists])) await db.run(statement);
  await db.insert(artists).values({ name: "Ada" });
  await assert.rejects(async () => db.insert(artists).values({ name: "ADA" }), /UNIQUE/);
  const album = { code: "a", side: 1, artistId: 2, artistName: "Bob" };
  await assert.rejects(async () => db.insert(albums).values(album), /FOREIGN KEY/);
  await db.transaction(async (tx) => {
    await tx.insert(albums).values(album);
    await tx.insert(artists).values({ artistId: 2, name: "Bob" });
  });
  await db.run(sql`insert into Album values (null, 1, 1, 'Ada')`);
  assert.equal(await db.$count(albums), 2);
});

test("an identifier that is declared as something else is not the rowid", () => {
  const [statement] = schemaStatements([
    Table("counted", (prop) => ({ id: prop.integer().identifier().declaredAs("INT") })),
  ]);
  assert.equal(statement, 'CREATE TABLE "counted" (\n  "id" INT PRIMARY KEY NOT NULL\n) STRICT;');
});

test("a type is a type, and nothing behind it", () => {
  const declare = (type: string) => () =>
    Table("t", (prop) => ({ a: prop.text().declaredAs(type) }));
  for (const type of [
    "TEXT",
    "double precision",
    "DECIMAL(10,2)",
    "VARCHAR ( -1 )",
    '"my type"',
    "größe",
  ])
    declare(type)();
  for (const type of [
    ...["", " ", "TEXT NOT NULL", "text default 1", "TEXT, b TEXT", "TEXT)", "a(b", "a(1,2,3)"],
    ...[
      "TEXT--",
      "TEXT/*",
      "TEXT;",
      "(1)",
      "TEXT generated always",
      "TEXT primary key",
      '"a',
      "a(1)b",
    ],
  ]) {
    assert.throws(declare(type), /declaredAs\(\) takes words/, type);
  }
  assert.throws(
    () => schemaStatements([declare("NVARCHAR(10)")()]),
    /a STRICT table does not know/,
  );
  for (const name of ["", "a b", '"nocase"', "nocase, x"]) {
    assert.throws(
      () => Table("t", (prop) => ({ a: prop.text().collate(name) })),
      /collate\(\) takes the name/,
    );
  }
});

test("a table can have a statement of its own", async () => {
  const odd = Table(
    "odd one",
    (prop) => ({
      id: prop.text().identifier(),
      other: prop
        .text()
        .optional()
        .references(() => odd.id),
    }),
    {
      statement: sql`create table if not exists [odd one] (
  id text primary key on conflict replace not null, -- kept
  other text references [odd one]
) without rowid; `,
      indexes: [{ on: ["other"], name: "by_other" }],
    },
  );
  assert.deepEqual(schemaStatements([odd]), [
    `create table if not exists [odd one] (
  id text primary key on conflict replace not null, -- kept
  other text references [odd one]
) without rowid;`,
    'CREATE INDEX "by_other" ON "odd one" ("other");',
  ]);
  const db = databaseOver(new TestHost().call)();
  for (const statement of schemaStatements([odd])) await db.run(statement);
  await db.insert(odd).values([{ id: "a" }, { id: "a", other: "a" }]);
  assert.deepEqual(await db.select().from(odd), [{ id: "a", other: "a" }]);

  const other = (text: Loose) => () =>
    Table("t", (prop) => ({ a: prop.text() }), { statement: text as never });
  for (const text of [sql`CREATE TABLE u (a)`, sql`DROP TABLE t`, sql`CREATE TABLE`, sql``]) {
    assert.throws(other(text), /its statement is the CREATE TABLE of this table/);
  }
  for (const text of [sql`CREATE TABLE T (a)`, sql`CREATE TABLE "t" (a)`, sql`CREATE TABLE 't'(a)`])
    other(text)();
  assert.throws(other("CREATE TABLE t (a)"), /its statement is SQL/);
});

test("a view can be SQL, with columns that are read by their types", async () => {
  const events = Table("events", (prop) => ({
    id: prop.integer().identifier(),
    at: prop.datetime(),
    open: prop.boolean(),
  }));
  const last = View(
    "last",
    (prop) => ({ latest: prop.datetime("latest one"), isOpen: prop.boolean() }),
    sql`SELECT max(${events.at}), ${events.open} FROM ${events} -- the last one;`,
    { columnList: true },
  );
  const plain = View("plain", (prop) => ({ open: prop.boolean() }), sql`select open from events;`);
  assert.deepEqual(schemaStatements([last, plain]), [
    'CREATE VIEW "last" ("latest one", "isOpen") AS\n  SELECT max("events"."at"), "events"."open" FROM "events" -- the last one\n;',
    'CREATE VIEW "plain" AS\n  select open from events;',
  ]);
  const db = databaseOver(new TestHost().call)();
  for (const statement of schemaStatements([events, last, plain])) await db.run(statement);
  await db.insert(events).values({ at: new Date(5), open: true });
  assert.deepEqual(await db.select().from(last), [{ latest: new Date(5), isOpen: true }]);
  assert.deepEqual(await db.select().from(last).where(eq(last.isOpen, false)), []);
  assert.deepEqual(await db.select({ open: plain.open }).from(plain), [{ open: true }]);
  assert.throws(
    () => View("bad", (prop) => ({ a: prop.text() }), "select 1" as never),
    /bad: the query of a view is SQL/,
  );
});

test("statements come last, and are told", () => {
  const logged = Table("logged", (prop) => ({ id: prop.integer().identifier() }));
  const trigger = Statement(
    sql`create trigger log after insert on ${logged} begin select 1; end ;`,
  );
  const all = View("all_logged", (query) => query.select().from(logged));
  assert.deepEqual(schemaStatements([trigger, all, logged]), [
    'CREATE TABLE "logged" (\n  "id" INTEGER PRIMARY KEY\n) STRICT;',
    'CREATE VIEW "all_logged" ("id") AS\n  select "id" from "logged";',
    'create trigger log after insert on "logged" begin select 1; end;',
  ]);
  assert.deepEqual(describeSchema().statements, [
    'create trigger log after insert on "logged" begin select 1; end ;',
  ]);
  assert.throws(() => Statement("create trigger" as never), /Statement\(\) takes SQL/);
});
