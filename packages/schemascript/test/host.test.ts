// A native host in the global `__host_sqlite`: that the driver takes it, and how little it asks.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { eq, sql } from "drizzle-orm";
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

test("a batch is one call", async () => {
  await db.batch([db.select().from(items), db.query.items.findFirst(), db.run(sql`select 1`)]);
  assert.deepEqual(calls, ["statement", "statement", "statement", "batch"]);
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
