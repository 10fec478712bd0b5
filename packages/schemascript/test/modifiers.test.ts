// What the modifiers make of a column: its SQL, what the database then refuses, and the sentences for
// what cannot be.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import {
  Schema,
  schemaStatements,
  SchemaScriptError,
  Table,
  value,
  type FieldBuilder,
  type PropertyMap,
} from "schemascript";
import { databaseOver } from "schemascript/internal";
import { TestHost } from "./support.js";

// As a JavaScript user calls it, where TypeScript would have refused.
type Loose = any;

async function opened(...tables: readonly object[]) {
  const host = new TestHost();
  const db = databaseOver(host.call)();
  for (const statement of schemaStatements(tables as never)) await db.run(statement);
  return { db, host };
}

const causeOf = (error: unknown): Error => {
  const { cause } = error as { cause?: Error };
  return cause ?? (error as Error);
};

const refusal = (pattern: RegExp) => (error: unknown) => pattern.test(causeOf(error).message);

test("lists arrive as they were, of every type", async () => {
  const lists = Table("lists", (prop) => ({
    id: prop.integer().identifier(),
    integer: prop.integer().array(),
    bigint: prop.integer({ mode: "bigint" }).array(),
    real: prop.real().array(),
    text: prop.text().array(),
    blob: prop.blob().array(),
    boolean: prop.boolean().array(),
    datetime: prop.datetime().array(),
    node: prop.node<unknown>().array(),
    enum: prop.enum({ options: ["a", "b"] }).array(),
    numbered: prop.enum({ options: { low: 1, high: 2 } }).array(),
    point: prop
      .custom<[number, number]>("point", {
        storage: "blob",
        toDriver: (point) => Uint8Array.from(point),
        fromDriver: (stored) => [stored[0] ?? 0, stored[1] ?? 0],
      })
      .array(),
    none: prop.text().array().optional(),
  }));
  const row = {
    id: 1,
    integer: [1, -(2 ** 53 - 1)],
    bigint: [-(2n ** 63n), 2n ** 63n - 1n, 0n],
    real: [0.1, -1e300],
    text: ["", "a\0b", "😀", '"'],
    blob: [new Uint8Array(0), Uint8Array.from([0, 255])],
    boolean: [true, false],
    datetime: [new Date(-1), new Date(1234567890123)],
    node: [{ a: [null] }, "text", 5],
    enum: ["b", "a"] as ("a" | "b")[],
    numbered: ["high"] as "high"[],
    point: [[1, 2]] as [number, number][],
    none: null,
  };
  const { db } = await opened(lists);
  await db.insert(lists).values(row);
  assert.deepEqual(await db.select().from(lists), [row]);
  assert.deepEqual(await db.all(sql`select "bigint", "blob", "boolean", "numbered" from lists`), [
    ['["-9223372036854775808","9223372036854775807","0"]', '["","00ff"]', "[true,false]", "[2]"],
  ]);
  const empty = Object.fromEntries(Object.keys(row).map((key) => [key, []]));
  await db.insert(lists).values({ ...(empty as unknown as typeof row), id: 2, none: [] });
});

test("what is no list is refused: by the database, and before that where it would change", async () => {
  const lists = Table("l", (prop) => ({
    text: prop.text().array().optional(),
    real: prop.real().array().optional(),
    level: prop
      .enum({ options: { low: 1 } })
      .array()
      .optional(),
  }));
  const { db } = await opened(lists);
  for (const stored of ["{}", "5", '"a"', "not JSON", ""]) {
    await assert.rejects(
      db.run(sql`insert into l (text) values (${stored})`),
      refusal(/CHECK constraint failed: l_text_check/),
    );
  }
  const wrong = (row: Loose, pattern: RegExp) =>
    assert.rejects(async () => db.insert(lists).values(row), refusal(pattern));
  await wrong({ text: "a" }, /l\.text: it takes an array/);
  await wrong({ text: [null] }, /l\.text: an array holds no null/);
  await wrong({ real: [Infinity] }, /l\.real: JSON has no infinite numbers/);
  await wrong({ real: [NaN] }, /l\.real: SQLite would store NaN as NULL/);
  await wrong({ level: ["high"] }, /l\.level: it takes one of low/);
  await db.run(sql`insert into l (real) values ('["a"]')`);
  await assert.rejects(
    async () => db.select().from(lists),
    /l\.real holds something that is not a number/,
  );
});

test("bounds are CHECK constraints, just inside and just outside", async () => {
  const table = Table("b", (prop) => ({
    integer: prop.integer().min(-1).max(1).optional(),
    bigint: prop
      .integer({ mode: "bigint" })
      .min(-(2n ** 62n))
      .max(2n ** 62n)
      .optional(),
    real: prop.real().min(-0.5).max(Infinity).optional(),
    text: prop.text().min(1).max(2).optional(),
    code: prop.text().length(3).optional(),
    blob: prop.blob().min(1).max(2).optional(),
    hash: prop.blob().length(2).optional(),
    at: prop.datetime().min(new Date(0)).max(new Date(10)).optional(),
    list: prop.text().array().min(1).max(2).optional(),
    pair: prop.text().array().length(2).optional(),
  }));
  const { db } = await opened(table);
  const inside: readonly (typeof table.$inferInsert)[] = [
    ...[{ integer: -1 }, { integer: 1 }, { bigint: -(2n ** 62n) }, { bigint: 2n ** 62n }],
    ...[{ real: -0.5 }, { real: Infinity }, { text: "a" }, { text: "😀😀" }, { code: "äöü" }],
    ...[{ blob: new Uint8Array(1) }, { blob: new Uint8Array(2) }, { hash: new Uint8Array(2) }],
    ...[{ at: new Date(0) }, { at: new Date(10) }, { list: ["a"] }, { pair: ["a", "b"] }, {}],
  ];
  for (const row of inside) await db.insert(table).values(row);
  const outside: readonly [typeof table.$inferInsert, string][] = [
    [{ integer: -2 }, "integer_min"],
    [{ integer: 2 }, "integer_max"],
    [{ bigint: -(2n ** 62n) - 1n }, "bigint_min"],
    [{ bigint: 2n ** 62n + 1n }, "bigint_max"],
    [{ real: -0.51 }, "real_min"],
    [{ text: "" }, "text_min"],
    [{ text: "😀😀😀" }, "text_max"],
    [{ text: "a\0bc" }, "text_min"],
    [{ code: "ab" }, "code_length"],
    [{ code: "abc\0" }, "code_length"],
    [{ blob: new Uint8Array(0) }, "blob_min"],
    [{ blob: new Uint8Array(3) }, "blob_max"],
    [{ hash: new Uint8Array(1) }, "hash_length"],
    [{ at: new Date(-1) }, "at_min"],
    [{ at: new Date(11) }, "at_max"],
    [{ list: [] }, "list_min"],
    [{ list: ["a", "b", "c"] }, "list_max"],
    [{ pair: ["a"] }, "pair_length"],
  ];
  for (const [row, name] of outside) {
    await assert.rejects(
      async () => db.insert(table).values(row),
      refusal(new RegExp(`CHECK constraint failed: b_${name}`)),
    );
  }
});

test("conditions are written as they were given, values as constants", () => {
  const table = Table("c", (prop) => ({
    a: prop
      .integer()
      .check(sql`a <> ${5}`)
      .check((column) => sql`${column} <> ${"it's"}`),
    b: prop
      .text("b_name")
      .check((column) => sql`${column} <> ''`)
      .index()
      .unique(),
  }));
  assert.deepEqual(schemaStatements([table]), [
    `CREATE TABLE "c" (
  "a" INTEGER NOT NULL CONSTRAINT "c_a_check_1" CHECK (a <> 5) CONSTRAINT "c_a_check_2" CHECK ("a" <> 'it''s'),
  "b_name" TEXT NOT NULL CONSTRAINT "c_b_name_check_1" CHECK ("b_name" <> '')
) STRICT;`,
    'CREATE UNIQUE INDEX "c_b_name_unique" ON "c" ("b_name");',
    'CREATE INDEX "c_b_name_index" ON "c" ("b_name");',
  ]);
  const { checks, indexes } = getTableConfig(table);
  assert.deepEqual(
    checks.map(({ name }) => name),
    ["c_a_check_1", "c_a_check_2", "c_b_name_check_1"],
  );
  assert.deepEqual(
    indexes.map(({ config }) => config.name),
    ["c_b_name_index"],
  );
  const broken = Table("d", (prop) => ({ a: prop.integer().check((() => "a > 0") as Loose) }));
  assert.throws(() => schemaStatements([broken]), /^SchemaScriptError: d\.a: its check is not SQL/);
});

test("a least length of nothing is no constraint", () => {
  const table = Table("z", (prop) => ({ a: prop.text().min(0), b: prop.integer().min(0) }));
  assert.deepEqual(schemaStatements([table]), [
    'CREATE TABLE "z" (\n  "a" TEXT NOT NULL,\n  "b" INTEGER NOT NULL CONSTRAINT "z_b_min" CHECK ("b" >= 0)\n) STRICT;',
  ]);
});

test("generated columns are computed by SQLite and left out of inserts", async () => {
  const table = Table("g", (prop) => ({
    id: prop.integer().identifier(),
    name: prop.text(),
    loud: prop.text().generated(sql`upper(name)`, { stored: true }),
    quiet: prop.text().generated(() => sql`lower(${table.name})`),
    parts: prop
      .text()
      .array()
      .generated(sql`json_array(name)`),
  }));
  assert.match(
    schemaStatements([table])[0] ?? "",
    /"loud" TEXT NOT NULL GENERATED ALWAYS AS \(upper\(name\)\) STORED,\n  "quiet" TEXT NOT NULL GENERATED ALWAYS AS \(lower\("name"\)\) VIRTUAL/,
  );
  const { db } = await opened(table);
  await db.insert(table).values({ name: "Ada" });
  assert.deepEqual(await db.select().from(table), [
    { id: 1, name: "Ada", loud: "ADA", quiet: "ada", parts: ["Ada"] },
  ]);
  await db.update(table).set({ name: "Bo" });
  assert.equal((await db.select().from(table).get())?.loud, "BO");
});

test("a shared property is not changed by another's use of it", () => {
  const table = Table("s", (prop) => {
    const name = prop.text();
    name
      .min(1)
      .max(5)
      .length(3)
      .pattern(/a/)
      .index()
      .check(sql`true`)
      .was("w")
      .describe("d");
    name.array();
    name.generated(sql`''`);
    return { name };
  });
  assert.deepEqual(schemaStatements([table]), [
    'CREATE TABLE "s" (\n  "name" TEXT NOT NULL\n) STRICT;',
  ]);
});

// The same sentence that the type shows.
const SENTENCES: readonly [string, (prop: Loose) => unknown][] = [
  ["an identifier cannot be an array", (prop) => prop.text().array().identifier()],
  ["an identifier cannot be an array", (prop) => prop.text().identifier().array()],
  [
    "an array cannot reference a column",
    (prop) =>
      prop
        .integer()
        .array()
        .references(() => 1),
  ],
  [
    "an array cannot reference a column",
    (prop) =>
      prop
        .integer()
        .references(() => 1)
        .array(),
  ],
  ["array() comes before default()", (prop) => prop.integer().default(1).array()],
  [
    "array() comes before min(), max(), length() and pattern()",
    (prop) => prop.text().min(1).array(),
  ],
  ["an array holds no arrays: use prop.node<T[][]>()", (prop) => prop.text().array().array()],
  ["the default of an array is an array or SQL", (prop) => prop.text().array().default("a")],
  ["the default of an array is an array or SQL", (prop) => prop.text().array().default([1])],
  ["the default of an array is an array or SQL", (prop) => prop.text().array().default(value.now)],
  [
    "a generated column has no default",
    (prop) =>
      prop
        .text()
        .default("a")
        .generated(sql`''`),
  ],
  [
    "a generated column has no default",
    (prop) =>
      prop
        .text()
        .generated(sql`''`)
        .default("a"),
  ],
  [
    "a generated column cannot be an identifier",
    (prop) =>
      prop
        .text()
        .generated(sql`''`)
        .identifier(),
  ],
  [
    "a generated column cannot be an identifier",
    (prop) =>
      prop
        .integer()
        .identifier()
        .generated(sql`1`),
  ],
  ["generated() takes SQL, or a function that answers it", (prop) => prop.text().generated("a")],
  [
    "check() takes SQL, or a function of the column that answers it",
    (prop) => prop.text().check("a"),
  ],
  ["the bound of an integer is a whole number within 2^53", (prop) => prop.integer().min(0.5)],
  [
    "the bound of a bigint integer is a bigint of 64 bits",
    (prop) => prop.integer({ mode: "bigint" }).max(1),
  ],
  ["the bound of a real is a number", (prop) => prop.real().min(NaN)],
  ["the bound of a text is a number of characters", (prop) => prop.text().min(-1)],
  ["the bound of a blob is a number of bytes", (prop) => prop.blob().length(1.5)],
  ["the bound of a datetime is a Date", (prop) => prop.datetime().min(0)],
  [
    "the bound of an array is a number of elements",
    (prop) => prop.datetime().array().max(new Date()),
  ],
  ["a boolean has no bounds", (prop) => prop.boolean().min(0)],
  ["a node has no bounds", (prop) => prop.node().max(1)],
  ["an enum has no bounds", (prop) => prop.enum({ options: ["a"] }).min(1)],
  ["an enum has no bounds", (prop) => prop.enum({ options: { a: 1 } }).min(1)],
  ["a custom type has no bounds: use check()", (prop) => prop.custom("c").min(1)],
  ["length() is for texts, blobs and arrays", (prop) => prop.integer().length(1)],
  ["pattern() is for texts", (prop) => prop.integer().pattern(/1/)],
  ["pattern() is for texts", (prop) => prop.text().array().pattern(/1/)],
  [
    "pattern() takes a regular expression without the flags g and y",
    (prop) => prop.text().pattern(/1/g),
  ],
  [
    "pattern() takes a regular expression without the flags g and y",
    (prop) => prop.text().pattern("1"),
  ],
  ["min() is above max(): nothing is between them", (prop) => prop.integer().max(1).min(2)],
  ["was() takes the column's name before", (prop) => prop.text().was("")],
  ["describe() takes a string", (prop) => prop.text().describe(1)],
  [
    "the name and the inverse of a reference are strings, not empty",
    (prop) => prop.text().references(() => 1, { name: "" }),
  ],
];

test("what cannot be combined is refused with its sentence", () => {
  for (const [sentence, make] of SENTENCES) {
    assert.throws(
      () => Schema("wrong", (prop: FieldBuilder) => ({ a: make(prop) }) as PropertyMap),
      (error) =>
        error instanceof SchemaScriptError &&
        error.code === "invalid-schema" &&
        error.message === sentence,
      sentence,
    );
  }
});
