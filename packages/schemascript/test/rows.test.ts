// Rows by their shape against Drizzle's own mapping of rows, over one host.
import assert from "node:assert/strict";
import { test } from "node:test";
import { schemaStatements } from "schemascript";
import { databaseOver } from "schemascript/internal";
import { compare, isSame } from "./rows/compare.js";
import { declared } from "./rows/tables.js";
import { TestHost } from "./support.js";

test("the driver makes of every row what Drizzle makes of it", async () => {
  const host = new TestHost();
  // This SQLite has no full-text search.
  const statements = schemaStatements(declared).filter((each) => !each.includes("people_search"));
  for (const statement of statements) host.sqlite.run(statement);
  const { count, differences } = await compare(host.call, databaseOver(host.call));
  assert.deepEqual(differences, []);
  assert.ok(count > 3000, `${count} queries`);
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
