// A native host in the global `__host_sqlite`: that the driver takes it, and how little it asks.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { aliasedTable, count, eq, max, sql } from "drizzle-orm";
import { database, schemaStatements, Table, UniqueViolation } from "schemascript";
import { pushSchema } from "schemascript/internal";
import { JsonHost } from "#json-host";
import { TestHost } from "./support.js";

const items = Table("native_items", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text().unique(),
}));

// The same answers as over JSON, with a list of what was called.
const host = new TestHost();
const calls: string[] = [];
let makeError: unknown;
const native = new Proxy(new JsonHost(host.call), {
  get(target, name) {
    if (name === "setErrorFactory") return (make: unknown) => (makeError = make);
    const method = Reflect.get(target, name) as (...all: unknown[]) => unknown;
    return (...given: unknown[]) => {
      calls.push(String(name));
      return method.apply(target, given);
    };
  },
});
Reflect.set(globalThis, "__host_sqlite", native);
const db = database({ items });

beforeEach(() => {
  calls.length = 0;
});

test("the driver takes the native host, and gives it the errors", async () => {
  for (const statement of schemaStatements([items])) await db.run(statement);
  assert.deepEqual([...new Set(calls)], ["statement", "run"]);
  const error = (makeError as (error: object) => unknown)({
    code: "conflict",
    message: "no",
    violation: "unique",
  });
  assert.ok(error instanceof UniqueViolation);
  // What the program puts there later changes nothing.
  Reflect.set(globalThis, "__host_sqlite", {});
  await db.insert(items).values({ name: "Ada" });
});

test("a prepared query is one statement, and each execution is one call", async () => {
  const find = db
    .select()
    .from(items)
    .where(eq(items.id, sql.placeholder("id")))
    .prepare();
  assert.deepEqual(calls, []);
  assert.deepEqual(await find.get({ id: 1 }), { id: 1, name: "Ada" });
  assert.equal(await find.get({ id: 2 }), undefined);
  assert.deepEqual(await find.all({ id: 1 }), [{ id: 1, name: "Ada" }]);
  assert.deepEqual(await find.values({ id: 1 }), [[1, "Ada"]]);
  for await (const row of db.iterate(find, { id: 1 })) assert.equal(row.name, "Ada");
  assert.deepEqual(calls, ["statement", "get", "get", "all", "values", "iterate"]);
});

test("a query that is built again is the same statement, whatever its values", async () => {
  const one = (id: number) => db.select().from(items).where(eq(items.id, id)).limit(5);
  await one(1);
  assert.deepEqual(await one(2).get(), undefined);
  const counted = () => db.select({ id: items.id, n: count(), m: max(items.id) }).from(items);
  await counted();
  assert.deepEqual(await counted(), [{ id: 1, n: 1, m: 1 }]);
  assert.deepEqual(
    calls.filter((call) => call === "statement"),
    ["statement", "statement"],
  );
  // The same text, and other rows.
  const raw = sql`select "id", "name" from "native_items"`;
  assert.deepEqual(await db.all(raw), [[1, "Ada"]]);
  assert.deepEqual(await db.select().from(items), [{ id: 1, name: "Ada" }]);
  assert.deepEqual(await db.select({ a: items.id, b: items.name }).from(items), [
    { a: 1, b: "Ada" },
  ]);
  const read = (decoder: (stored: unknown) => unknown) =>
    db.select({ id: sql`"id"`.mapWith(decoder), name: items.name }).from(items);
  assert.deepEqual(await read((id) => [id]), [{ id: [1], name: "Ada" }]);
  assert.deepEqual(await read(String), [{ id: "1", name: "Ada" }]);
  assert.deepEqual(await read((stored) => BigInt(stored as number)), [{ id: 1n, name: "Ada" }]);
  assert.deepEqual(await read(items.id.mapFromDriverValue), [{ id: 1, name: "Ada" }]);
});

test("joins of the same text that find and that miss a row are told apart", async () => {
  const other = aliasedTable(items, "other");
  const on = sql`1 = 0`;
  const joined = db.select().from(items).leftJoin(other, on);
  assert.deepEqual(await joined, [{ native_items: { id: 1, name: "Ada" }, other: null }]);
  assert.deepEqual(await db.select().from(items).leftJoin(other, on), await joined);
});

test("many different queries are many statements", async () => {
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 300; n++) await db.all(sql.raw(`select ${n}`));
  }
  assert.equal(calls.filter((call) => call === "statement").length, 600);
  await db.all(sql.raw("select 299"));
  assert.equal(calls.filter((call) => call === "statement").length, 600);
});

test("a batch is one call", async () => {
  await db.batch([db.select().from(items), db.query.items.findFirst(), db.run(sql`select 1`)]);
  assert.deepEqual(
    calls.filter((call) => call !== "statement"),
    ["batch"],
  );
});

test("the declared tables are sent as text", () => {
  const sent: string[] = [];
  pushSchema((payload) => {
    sent.push(payload);
    return "{}";
  });
  assert.equal(sent.length, 1);
  assert.deepEqual(calls, []);
});
