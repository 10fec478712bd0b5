// Every type to the database and back, at its edges; and what is refused on the way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { alias } from "drizzle-orm/sqlite-core";
import { eq, gt, sql } from "drizzle-orm";
import { SchemaScriptError, schemaStatements, Table, value } from "schemascript";
import { databaseOver } from "schemascript/internal";
import { TestHost } from "./support.js";

const all = Table("all", (prop) => ({
  id: prop.integer().identifier(),
  integer: prop.integer().optional(),
  bigint: prop.integer({ mode: "bigint" }).optional(),
  real: prop.real().optional(),
  text: prop.text().optional(),
  blob: prop.blob().optional(),
  boolean: prop.boolean().optional(),
  datetime: prop.datetime().optional(),
  node: prop.node<unknown>().optional(),
  enum: prop.enum({ options: ["a", "b"] }).optional(),
  numbered: prop.enum({ options: { low: -1, high: 2 } }).optional(),
  any: prop.custom<string | number | bigint | Uint8Array | object>("any").optional(),
  point: prop
    .custom<readonly [number, number]>("point", {
      storage: "text",
      toDriver: ([x, y]) => `${x} ${y}`,
      fromDriver: (stored) => {
        const [x = 0, y = 0] = stored.split(" ").map(Number);
        return [x, y];
      },
    })
    .optional(),
}));

function open() {
  const host = new TestHost();
  for (const statement of schemaStatements([all])) host.sqlite.run(statement);
  return { host, db: databaseOver(host.call)({ all }) };
}

type Row = typeof all.$inferInsert;

const EDGES: { readonly [Key in keyof Row]?: readonly Row[Key][] } = {
  integer: [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  bigint: [0n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  real: [0, 0.1, 5, 1e300, 5e-324, Infinity, -Infinity, 2 ** 53, 2 ** 60],
  text: ["", "it's", "\u{1F600}", '{"$int":"1"}', '"$'],
  blob: [new Uint8Array(), new Uint8Array([0, 1, 255]), new Uint8Array(1_000_001).fill(7)],
  boolean: [true, false],
  datetime: [new Date(0), new Date(-1), new Date("2026-11-22T12:34:56.789Z")],
  node: [[], {}, "text", 1.5, { a: ["ü", null, "\u{1F600}"] }, false],
  enum: ["a", "b"],
  numbered: ["low", "high"],
  any: ["text", 1, 1.5, new Uint8Array([1])],
  point: [[1, -2]],
};

for (const [key, values] of Object.entries(EDGES)) {
  test(`${key}: what is written is read`, async () => {
    const { db } = open();
    for (const written of values) {
      const [row] = await db
        .insert(all)
        .values({ [key]: written })
        .returning();
      assert.deepEqual(row?.[key as keyof Row], written);
      const found = await db.query.all.findFirst({ where: eq(all.id, row?.id ?? 0) });
      assert.deepEqual(found?.[key as keyof Row], written);
    }
    const [row] = await db.insert(all).values({}).returning();
    assert.equal(row?.[key as keyof Row], null);
  });
}

test("what cannot be stored as it is is refused, by name", async () => {
  const { db, host } = open();
  const refused: [Record<string, unknown>, string][] = [
    [
      { integer: 2 ** 53 },
      'all.integer: a number beyond 2^53 - 1 is rounded: declare it integer({ mode: "bigint" })',
    ],
    [{ integer: NaN }, "all.integer: SQLite would store NaN as NULL"],
    [{ real: NaN }, "all.real: SQLite would store NaN as NULL"],
    [{ bigint: 2n ** 63n }, "all.bigint: SQLite's integers have 64 bits"],
    [{ blob: "text" }, "all.blob: it takes a Uint8Array"],
    [{ datetime: new Date(NaN) }, "all.datetime: it takes a valid Date"],
    [{ datetime: 5 }, "all.datetime: it takes a valid Date"],
    [{ node: 5n }, "all.node: its value cannot be written as JSON"],
    [{ numbered: "medium" }, "all.numbered: it takes one of low, high"],
    [{ any: { x: 1 } }, 'all.any: an object needs a form to be stored in: give "any" a toDriver'],
  ];
  for (const [row, message] of refused) {
    await assert.rejects(() => db.insert(all).values(row).execute(), {
      code: "invalid-request",
      message,
    });
  }
  assert.deepEqual(host.log, []);
  assert.throws(() => db.insert(all).values({ real: NaN }).toSQL(), {
    message: "all.real: SQLite would store NaN as NULL",
  });
});

test("what the database refuses names table, column or constraint", async () => {
  const { db } = open();
  const insert = (row: object) => db.insert(all).values(row).execute();
  await assert.rejects(insert({ integer: 1.5 }), {
    violation: "type",
    table: "all",
    columns: ["integer"],
  });
  await assert.rejects(
    insert({ text: 5 }).then(() => insert({ integer: "x" })),
    { violation: "type", columns: ["integer"] },
  );
  await assert.rejects(insert({ enum: "c" }), { violation: "check", constraint: "all_enum_check" });
  await assert.rejects(db.run(sql`insert into "all" (boolean) values (2)`), {
    constraint: "all_boolean_check",
  });
  await assert.rejects(db.run(sql`insert into "all" (node) values ('{')`), {
    constraint: "all_node_check",
  });
  await assert.rejects(db.run(sql`insert into "all" (numbered) values (0)`), {
    constraint: "all_numbered_check",
  });
});

test("what a type cannot hold is refused when it is read", async () => {
  const { db, host } = open();
  const columns = [
    "integer",
    "real",
    "text",
    "blob",
    "node",
    "numbered",
    "bigint",
    "datetime",
  ] as const;
  const stored: Record<(typeof columns)[number], [unknown, string]> = {
    integer: [
      { $int: "9007199254740993" },
      'all.integer holds an integer beyond 2^53 - 1: declare it integer({ mode: "bigint" })',
    ],
    real: ["x", "all.real holds something that is not a number"],
    text: [{ $text: "/w==" }, "all.text holds something that is not UTF-8 text"],
    blob: ["x", "all.blob holds something that is not a blob"],
    node: ["{", "all.node holds text that is not JSON"],
    numbered: [7, "all.numbered holds a number that is not among its options"],
    bigint: [2 ** 53, "all.bigint holds something that is not a bigint"],
    datetime: [{ $int: "9007199254740993" }, "all.datetime holds something that is not a number"],
  };
  for (const column of columns) {
    const [wire, message] = stored[column];
    host.intercept = () => ({ rows: [[wire]] });
    await assert.rejects(
      db.select({ it: all[column] }).from(all).execute(),
      (error) =>
        error instanceof SchemaScriptError &&
        error.code === "conflict" &&
        error.message === message,
    );
  }
});

test("defaults are stored by Drizzle's inserts and by SQL alike", async () => {
  const made = Table("made", (prop) => ({
    id: prop.text().identifier().default(value.uuid()),
    seconds: prop.integer().default(value.now()),
    at: prop.datetime().default(value.now),
    iso: prop.text().default(value.now()),
    node: prop.node<number[]>().default([1]),
    level: prop.enum({ options: { low: 1 } }).default("low"),
  }));
  const host = new TestHost();
  for (const statement of schemaStatements([made])) host.sqlite.run(statement);
  const db = databaseOver(host.call)();
  const before = Date.now();
  await db.insert(made).values({});
  await db.run("insert into made default values");
  const rows = await db.select().from(made);
  assert.equal(rows.length, 2);
  for (const row of rows) {
    assert.match(row.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(Math.abs(row.at.getTime() - before) < 5000);
    assert.ok(Math.abs(row.seconds * 1000 - before) < 5000);
    assert.ok(Math.abs(Date.parse(row.iso) - before) < 5000);
    assert.match(row.iso, /\.\d{3}Z$/);
    assert.deepEqual([row.node, row.level], [[1], "low"]);
  }
});

test("conversions hold in an alias, a comparison and a subquery", async () => {
  const { db } = open();
  await db.insert(all).values([{ datetime: new Date(5) }, { datetime: new Date(9) }]);
  const other = alias(all, "other");
  const rows = await db
    .select({ at: other.datetime })
    .from(other)
    .where(gt(other.datetime, new Date(6)));
  assert.deepEqual(rows, [{ at: new Date(9) }]);
  const inner = db.select({ at: all.datetime }).from(all).as("inner");
  assert.deepEqual(await db.select().from(inner), [{ at: new Date(5) }, { at: new Date(9) }]);
  assert.deepEqual(await db.select().from(all).innerJoin(other, gt(other.datetime, all.datetime)), [
    { all: (await db.select().from(all))[0], other: (await db.select().from(all))[1] },
  ]);
});
