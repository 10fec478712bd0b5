// SQL and rows against what Drizzle's own dialect and its own mapping of rows make, over one host.
import assert from "node:assert/strict";
import { test } from "node:test";
import { schemaStatements } from "schemascript";
import { databaseOver } from "schemascript/internal";
import { compare, isSame } from "./rows/compare.js";
import { declared, people } from "./rows/tables.js";
import { TestHost } from "./support.js";

// SEED=... repeats one.
const start = Number(process.env.SEED ?? 0);
const seeds = Array.from({ length: process.env.SEED ? 1 : 2000 }, (_, index) => start + index);

test("the driver makes of every row what Drizzle makes of it, with the same SQL", async () => {
  const host = new TestHost();
  // This SQLite has no full-text search.
  const statements = schemaStatements(declared).filter((each) => !each.includes("people_search"));
  for (const statement of statements) host.sqlite.run(statement);
  const { count, differences } = await compare(host.call, databaseOver(host.call), seeds);
  assert.deepEqual(differences, []);
  assert.ok(count > 3000 + 2 * seeds.length, `${count} queries`);
});

// Otherwise it would be Drizzle's constructor that makes the same as Drizzle's constructor.
test("a select makes its methods where they are asked for", () => {
  const select = databaseOver(new TestHost().call)().select().from(people);
  assert.ok(!Object.hasOwn(select, "leftJoin"));
  assert.equal(typeof select.leftJoin, "function");
});

test("the comparison sees types, order, zeros and prototypes", () => {
  const differing: [unknown, unknown][] = [
    [1, 1n],
    [0, -0],
    [null, undefined],
    [new Date(0), 0],
    [new Date(0), new Date(1)],
    [new Uint8Array([1]), Buffer.from([1])],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: 1 }, { a: 1, b: undefined }],
    [[1], { 0: 1 }],
    [{ a: { b: [null] } }, { a: { b: [{}] } }],
  ];
  for (const [one, other] of differing) assert.ok(!isSame(one, other));
  assert.ok(isSame({ a: [new Date(NaN), NaN] }, { a: [new Date(NaN), NaN] }));
});
