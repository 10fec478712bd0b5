// The shapes of rows: what is decoded without JavaScript, and what no shape can say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { aliasedTable, sql } from "drizzle-orm";
import {
  blob,
  customType,
  integer,
  numeric,
  QueryBuilder,
  real,
  sqliteTable,
  text,
  type SelectedFieldsOrdered,
} from "drizzle-orm/sqlite-core";
import { Table } from "schemascript";
import { tryShapeOf, type RowShape } from "#row-shape";

type Field = SelectedFieldsOrdered[number];

const field = (of: unknown, ...path: string[]): Field => ({ path, field: of as Field["field"] });
const kindOf = (of: unknown) => tryShapeOf([field(of, "a")], undefined)?.columns[0]?.kind;

const ours = Table("shapes", (prop) => ({
  id: prop.integer().identifier(),
  bigint: prop.integer({ mode: "bigint" }),
  real: prop.real(),
  text: prop.text(),
  blob: prop.blob(),
  boolean: prop.boolean(),
  datetime: prop.datetime(),
  node: prop.node<unknown>(),
  enum: prop.enum({ options: ["a"] }),
  numbered: prop.enum({ options: { low: 1, high: 2 } }),
  plain: prop.custom<string>("plain"),
  read: prop.custom<Date>("read", {
    storage: "text",
    toDriver: (date) => date.toISOString(),
    fromDriver: (stored) => new Date(stored),
  }),
  list: prop.integer().array(),
}));

test("the language's types have a kind each", () => {
  const kinds = Object.entries(ours)
    .filter(([, column]) => typeof column === "object")
    .map(([key, column]) => [key, kindOf(column)]);
  assert.deepEqual(Object.fromEntries(kinds), {
    ...{ id: 1, bigint: 2, real: 1, text: 7, blob: 8, boolean: 3, datetime: 4, node: 6, enum: 7 },
    ...{ numbered: 9, plain: 0, read: 10, list: 10 },
  });
  assert.equal(kindOf(aliasedTable(ours, "other").datetime), 4);
});

test("Drizzle's columns and decoders have the kind of what they do", () => {
  const custom = (fromDriver?: () => unknown) =>
    customType<{ data: unknown }>({ dataType: () => "x", ...(fromDriver && { fromDriver }) })();
  const columns = {
    0: [integer(), real(), text(), text({ enum: ["a"] }), custom()],
    1: [numeric({ mode: "number" })],
    2: [numeric({ mode: "bigint" })],
    3: [integer({ mode: "boolean" })],
    4: [integer({ mode: "timestamp_ms" })],
    5: [integer({ mode: "timestamp" })],
    6: [text({ mode: "json" })],
    7: [numeric()],
    10: [blob(), blob({ mode: "json" }), blob({ mode: "bigint" }), custom(() => 1)],
  };
  for (const [kind, builders] of Object.entries(columns)) {
    for (const builder of builders) {
      const table = sqliteTable("t", { v: builder as ReturnType<typeof integer> });
      assert.equal(kindOf(table.v), Number(kind), table.v.columnType);
    }
  }
  const decoders = [
    ...([
      [Number, 11],
      [BigInt, 2],
      [String, 7],
      [JSON.parse, 6],
      [Boolean, 10],
    ] as const),
    ...([
      [ours.datetime, 4],
      [() => 1, 10],
      [{ mapFromDriverValue: () => 1 }, 10],
    ] as const),
  ];
  for (const [decoder, kind] of decoders) {
    assert.equal(kindOf(sql`1`.mapWith(decoder as never)), kind);
    assert.equal(kindOf(sql`1`.mapWith(decoder as never).as("a")), kind);
  }
  assert.equal(kindOf(sql`1`), 0);
  assert.equal(kindOf(new QueryBuilder().select({ id: ours.id }).from(ours).as("a")), 0);
});

test("another conversion in the place of a known one is called", () => {
  const { boolean } = Table("replaced", (prop) => ({
    id: prop.integer().identifier(),
    boolean: prop.boolean(),
  }));
  Object.assign(boolean, { mapFromDriverValue: () => "mine" });
  assert.equal(kindOf(boolean), 10);
});

test("an enum of names with numbers brings both; numbers that are no integers are left to it", () => {
  const shape = tryShapeOf([field(ours.numbered, "a")], undefined);
  assert.deepEqual(shape?.columns[0]?.numbers, [1, 2]);
  assert.deepEqual(shape?.columns[0]?.names, ["low", "high"]);
});

test("two values in one place, and names that every object has, have no shape", () => {
  const refused: string[][][] = [
    [["toString"]],
    [["__proto__"]],
    [["a", "constructor"]],
    [["hasOwnProperty", "a"]],
    [["a"], ["a"]],
    [["a"], ["a", "b"]],
    [["a", "b"], ["a"]],
    [
      ["a", "b", "c"],
      ["a", "b"],
    ],
    [[]],
  ];
  for (const paths of refused) {
    const fields = paths.map((path) => field(ours.id, ...path));
    assert.equal(tryShapeOf(fields, undefined), undefined, JSON.stringify(paths));
  }
  const taken = [["a", "b"], ["a", "c"], ["b"], ["c", "a", "b"], ["c", "a", "c"], [""], ["1"]];
  const shape = tryShapeOf(
    taken.map((path) => field(ours.id, ...path)),
    undefined,
  );
  assert.deepEqual(
    shape?.columns.map(({ path }) => path),
    taken,
  );
});

test("an object is null with its first column, where all are of one table that may be missing", () => {
  const other = aliasedTable(ours, "other");
  const nullable = (fields: Field[], joins: Record<string, boolean> | undefined) =>
    tryShapeOf(fields, joins)?.nullable;
  const both = [
    field(sql`1`, "o", "up"),
    field(other.text, "o", "text"),
    field(other.id, "o", "id"),
    field(ours.id, "s", "id"),
  ];
  assert.deepEqual(nullable(both, { shapes: true, other: false }), [{ node: "o", column: 1 }]);
  assert.deepEqual(nullable(both, {}), [
    { node: "o", column: 1 },
    { node: "s", column: 3 },
  ]);
  assert.equal(nullable(both, undefined), undefined);
  assert.equal(nullable(both, { shapes: true, other: true }), undefined);
  const mixed = [field(other.id, "o", "a"), field(ours.id, "o", "b"), field(other.id, "o", "c")];
  assert.equal(nullable(mixed, {}), undefined);
  const deep = [field(other.id, "a", "b", "c"), field(other.id, "id")];
  assert.equal(nullable(deep, {}), undefined);
});

test("what is known of a column is known to the next query as well", () => {
  const columns = (...path: string[]) =>
    (tryShapeOf([field(ours.id, ...path)], undefined) as RowShape).columns;
  assert.equal(columns("id")[0], columns("id")[0]);
  assert.deepEqual(columns("other")[0]?.path, ["other"]);
  assert.deepEqual(columns("id", "id")[0]?.path, ["id", "id"]);
});
