// Definitions: what they refuse, that they are immutable, and the SQL that is made of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { getTableName, sql } from "drizzle-orm";
import { getTableConfig, sqliteTable, integer } from "drizzle-orm/sqlite-core";
import {
  Schema,
  SchemaScriptError,
  schemaStatements,
  Table,
  value,
  type PropertyMap,
} from "schemascript";
import { pendingSchema } from "schemascript/internal";
import { TestHost } from "./support.js";

// As a program without types would write it.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const untyped = (builder: (prop: any) => unknown, name = "t") =>
  Schema(name, builder as () => PropertyMap);

function refuses(sentence: string, builder: Parameters<typeof untyped>[0], name?: string): void {
  assert.throws(
    () => untyped(builder, name),
    (error) => {
      assert.ok(error instanceof SchemaScriptError);
      assert.equal(error.code, "invalid-schema");
      assert.equal(error.message, sentence);
      return true;
    },
  );
}

test("what cannot be combined is refused with the sentence of its type", () => {
  refuses("an identifier cannot be optional", (prop) => ({
    a: prop.integer().identifier().optional(),
  }));
  refuses("an identifier cannot be optional", (prop) => ({
    a: prop.text().optional().identifier(),
  }));
  refuses("autoIncrement needs an integer", (prop) => ({
    a: prop.text().identifier({ autoIncrement: true }),
  }));
  const numbered = "an integer identifier is numbered by SQLite and has no default";
  refuses(numbered, (prop) => ({ a: prop.integer().identifier().default(1) }));
  refuses(numbered, (prop) => ({ a: prop.integer().default(1).identifier() }));
});

test("a default of the wrong type is refused", () => {
  const integers = "the default of an integer is a whole number within 2^53, value.now() or SQL";
  refuses(integers, (prop) => ({ a: prop.integer().default("1") }));
  refuses(integers, (prop) => ({ a: prop.integer().default(1.5) }));
  refuses(integers, (prop) => ({ a: prop.integer().default(2 ** 53) }));
  refuses(integers, (prop) => ({ a: prop.integer().default(value.uuid()) }));
  const bigints = "the default of a bigint integer is a bigint of 64 bits, value.now() or SQL";
  refuses(bigints, (prop) => ({ a: prop.integer({ mode: "bigint" }).default(1) }));
  refuses(bigints, (prop) => ({ a: prop.integer({ mode: "bigint" }).default(2n ** 63n) }));
  refuses("the default of a real is a number or SQL", (prop) => ({ a: prop.real().default(NaN) }));
  refuses("the default of a real is a number or SQL", (prop) => ({
    a: prop.real().default(value.now),
  }));
  refuses("the default of a text is a string, value.now(), value.uuid() or SQL", (prop) => ({
    a: prop.text().default(1),
  }));
  refuses("the default of a blob is a Uint8Array or SQL", (prop) => ({
    a: prop.blob().default("a"),
  }));
  refuses("the default of a boolean is true, false or SQL", (prop) => ({
    a: prop.boolean().default(1),
  }));
  refuses("the default of a datetime is a Date, value.now() or SQL", (prop) => ({
    a: prop.datetime().default(new Date(NaN)),
  }));
  refuses("the default of a node is its value or SQL", (prop) => ({
    a: prop.node().default(value.now),
  }));
  refuses("the default of an enum is one of its options or SQL", (prop) => ({
    a: prop.enum({ options: ["a"] }).default("b"),
  }));
  refuses("the default of an enum is one of its options or SQL", (prop) => ({
    a: prop.enum({ options: { low: 1 } }).default("toString"),
  }));
  refuses("the default of a custom type is its value or SQL", (prop) => ({
    a: prop.custom("c").default(null),
  }));
});

test("types that cannot be are refused", () => {
  refuses('the mode of an integer is "number" or "bigint"', (prop) => ({
    a: prop.integer({ mode: "date" }),
  }));
  refuses("a column's name is a string that is not empty", (prop) => ({ a: prop.text("") }));
  const names = "the options of an enum are names, at least one and none twice";
  refuses(names, (prop) => ({ a: prop.enum({ options: [] }) }));
  refuses(names, (prop) => ({ a: prop.enum({ options: ["a", "a"] }) }));
  refuses(names, (prop) => ({ a: prop.enum({ options: ["a", 1] }) }));
  const numbers =
    "the options of an enum are names, or names with whole numbers, at least one and none twice";
  refuses(numbers, (prop) => ({ a: prop.enum("a") }));
  refuses(numbers, (prop) => ({ a: prop.enum({ options: { a: 1, b: 1 } }) }));
  refuses(numbers, (prop) => ({ a: prop.enum({ options: { a: 1.5 } }) }));
  refuses('a custom type has a name: prop.custom<Point>("point")', (prop) => ({
    a: prop.custom(),
  }));
  refuses('the storage of "c" is one of integer, real, text, blob, any', (prop) => ({
    a: prop.custom("c", { storage: "json" }),
  }));
  refuses("references() takes a function that answers a column: () => Users.id", (prop) => ({
    a: prop.text().references("users"),
  }));
});

test("tables that cannot be are refused", () => {
  refuses("a table has a name: a string that is not empty and holds no NUL", () => ({}), "");
  refuses(
    "sqlite_x: SQLite keeps names that begin with sqlite_ for itself",
    () => ({}),
    "sqlite_x",
  );
  refuses("t: a table has at least one column", () => ({}));
  refuses("t: the builder answers an object of properties", () => undefined);
  refuses("t.a is not a property: begin with prop.text() or another of prop", () => ({
    a: "text",
  }));
  refuses("t: two columns are called ID", (prop) => ({ id: prop.text(), other: prop.text("ID") }));
  refuses("t: a table has one identifier", (prop) => ({
    a: prop.text().identifier(),
    b: prop.text().identifier(),
  }));
  refuses(
    't.getSQL: this key is reserved; give the column its name instead: prop.text("getSQL")',
    (prop) => ({ getSQL: prop.text() }),
  );
  assert.throws(() => Schema("t", undefined as never), /the second argument is a function/);
  assert.throws(() => Table(5 as never), /takes a name and a builder, or a Schema/);
});

test("a modifier answers a new property and leaves the old one", () => {
  const made = Schema("shared", (prop) => {
    const half = prop.text();
    const all = half.optional().unique().default("a");
    assert.notEqual(half, all);
    assert.ok(Object.isFrozen(half));
    return { half, all, again: half.unique() };
  });
  assert.equal(
    schemaStatements([made])[0],
    `CREATE TABLE "shared" (
  "half" TEXT NOT NULL,
  "all" TEXT DEFAULT 'a',
  "again" TEXT NOT NULL
) STRICT;`,
  );
  assert.ok(Object.isFrozen(made));
});

test("a default does not follow its owner's changes", () => {
  const bytes = new Uint8Array([1]);
  const tags = { list: ["a"] };
  const made = Schema("copied", (prop) => ({
    b: prop.blob().default(bytes),
    n: prop.node<typeof tags>().default(tags),
  }));
  bytes[0] = 2;
  tags.list.push("b");
  const [text] = schemaStatements([made]);
  assert.match(text ?? "", /x'01'/);
  assert.match(text ?? "", /'\{"list":\["a"\]\}'/);
});

test("SQL: every type, constraint and default", () => {
  const made = Schema("every", (prop) => ({
    id: prop.integer().identifier({ autoIncrement: true }),
    'quo"ted': prop.text("it's").default("it's\nhere"),
    nul: prop.text().default("a\0é"),
    min: prop.integer({ mode: "bigint" }).default(-(2n ** 63n)),
    half: prop.real().default(0.5),
    huge: prop.real().default(2 ** 53),
    zero: prop.real().default(-0),
    endless: prop.real().default(-Infinity),
    bytes: prop.blob().default(new Uint8Array([0, 255])),
    flag: prop.boolean().default(false),
    at: prop.datetime().default(new Date(-1)),
    tree: prop.node<number[]>().default([1]),
    role: prop
      .enum({ options: ["it's", "b"] })
      .default("b")
      .optional(),
    level: prop.enum({ options: { low: -1, high: 2 } }).default("high"),
    point: prop.custom<string>("point", { storage: "text" }).default("0 0"),
    any: prop.custom<number>("any"),
    expression: prop.text().default(sql`'a' || ${"b'c"}`),
    seconds: prop.integer({ mode: "bigint" }).default(value.now),
    text: prop.text().default(value.now()),
  }));
  const [text = ""] = schemaStatements([made]);
  assert.equal(
    text,
    `CREATE TABLE "every" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "it's" TEXT NOT NULL DEFAULT 'it''s
here',
  "nul" TEXT NOT NULL DEFAULT (CAST(x'6100c3a9' AS TEXT)),
  "min" INTEGER NOT NULL DEFAULT -9223372036854775808,
  "half" REAL NOT NULL DEFAULT 0.5,
  "huge" REAL NOT NULL DEFAULT 9007199254740992.0,
  "zero" REAL NOT NULL DEFAULT -0.0,
  "endless" REAL NOT NULL DEFAULT -9e999,
  "bytes" BLOB NOT NULL DEFAULT x'00ff',
  "flag" INTEGER NOT NULL DEFAULT 0 CONSTRAINT "every_flag_check" CHECK ("flag" IN (0, 1)),
  "at" INTEGER NOT NULL DEFAULT -1,
  "tree" TEXT NOT NULL DEFAULT '[1]' CONSTRAINT "every_tree_check" CHECK (json_valid("tree")),
  "role" TEXT DEFAULT 'b' CONSTRAINT "every_role_check" CHECK ("role" IN ('it''s', 'b')),
  "level" INTEGER NOT NULL DEFAULT 2 CONSTRAINT "every_level_check" CHECK ("level" IN (-1, 2)),
  "point" TEXT NOT NULL DEFAULT '0 0',
  "any" ANY NOT NULL,
  "expression" TEXT NOT NULL DEFAULT ('a' || 'b''c'),
  "seconds" INTEGER NOT NULL DEFAULT (unixepoch()),
  "text" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;`,
  );
  const { sqlite } = new TestHost();
  sqlite.run(text);
  sqlite.run(`INSERT INTO "every" ("any") VALUES (1)`);
});

test("SQL: referenced tables come first, cycles are cut, a table may refer to itself", () => {
  const c = Table("c", (prop) => ({
    id: prop.text().identifier(),
    b: prop.integer().references(() => b.id),
  }));
  const b = Schema("b", (prop) => ({
    id: prop.integer().identifier(),
    a: prop.integer().references(() => a.id, { onDelete: "cascade", onUpdate: "set null" }),
    self: prop
      .integer()
      .optional()
      .references(() => b.id),
  }));
  const a = Table("a", (prop) => ({
    id: prop.integer().identifier(),
    c: prop.text().references(() => c.id),
  }));
  const statements = schemaStatements([c, b, a]);
  assert.deepEqual(
    statements.map((statement) => /"(\w)"/.exec(statement)?.[1]),
    ["a", "b", "c"],
  );
  assert.match(statements[1] ?? "", /REFERENCES "a" \("id"\) ON DELETE CASCADE ON UPDATE SET NULL/);
  const { sqlite } = new TestHost();
  for (const statement of statements) sqlite.run(statement);
});

test("SQL: a foreign key that SQLite would only refuse at the first insert is refused", () => {
  const target = Table("target", (prop) => ({
    id: prop.integer().identifier(),
    name: prop.text(),
    code: prop.text().unique(),
  }));
  const from = (column: () => unknown) =>
    schemaStatements([Schema("source", (prop) => ({ ref: prop.text().references(column) }))]);
  assert.throws(() => from(() => target.name), {
    message: "source.ref references target.name, which is neither an identifier nor unique",
  });
  assert.throws(() => from(() => target.id), {
    message: "source.ref is TEXT and references target.id, which is INTEGER",
  });
  assert.throws(() => from(() => target), {
    message: "source.ref must reference a column: .references(() => Users.id)",
  });
  assert.match(from(() => target.code)[0] ?? "", /REFERENCES "target" \("code"\)/);
  const foreign = sqliteTable("foreign", { id: integer().primaryKey() });
  assert.match(from(() => foreign.id)[0] ?? "", /REFERENCES "foreign" \("id"\)/);
});

test("a name stands for one shape", () => {
  const one = Schema("same", (prop) => ({ id: prop.integer().identifier() }));
  const other = Table("same", (prop) => ({ id: prop.integer().identifier() }));
  assert.equal(schemaStatements([one, other]).length, 1);
  const different = Schema("Same", (prop) => ({ id: prop.text().identifier() }));
  assert.throws(() => schemaStatements([one, different]), /two different tables are called Same/);
  assert.throws(() => pendingSchema(), { code: "invalid-schema" });
  assert.throws(
    () => schemaStatements([{} as never]),
    /takes what Schema\(\), Table\(\), View\(\) and Statement\(\) made/,
  );
});

test("a table of a schema is made once, and is one of Drizzle's", () => {
  const Users = Schema("drizzled", (prop) => ({
    id: prop.integer().identifier({ autoIncrement: true }),
    email: prop.text().unique(),
    bossId: prop
      .integer()
      .optional()
      .references(() => Users.id, { onDelete: "set null" }),
    role: prop.enum({ options: ["a", "b"] }).default("a"),
    big: prop.integer({ mode: "bigint" }),
  }));
  const users = Table(Users);
  assert.equal(users, Table(Users));
  assert.equal(getTableName(users), "drizzled");
  const { columns, foreignKeys, checks } = getTableConfig(users);
  assert.deepEqual(
    columns.map((column) => [
      column.name,
      column.getSQLType(),
      column.notNull,
      column.primary,
      column.uniqueName,
    ]),
    [
      ["id", "integer", true, true, "drizzled_id_unique"],
      ["email", "text", true, false, "drizzled_email_unique"],
      ["bossId", "integer", false, false, "drizzled_bossId_unique"],
      ["role", "text", true, false, "drizzled_role_unique"],
      ["big", "integer", true, false, "drizzled_big_unique"],
    ],
  );
  assert.deepEqual(
    columns.map((column) => column.isUnique),
    [false, true, false, false, false],
  );
  assert.equal(foreignKeys[0]?.onDelete, "set null");
  assert.equal(foreignKeys[0]?.reference().foreignColumns[0], users.id);
  assert.deepEqual(
    checks.map((check) => check.name),
    ["drizzled_role_check"],
  );
  assert.deepEqual(users.role.enumValues, ["a", "b"]);
});
