// SQL and rows against what Drizzle's own dialect and mapping of rows make, inside of the sandbox and over the host: every form of a
// query, queries made at random, and every type behind values of any class.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript node --test test/rows.test.mjs
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(
  process.env.SCHEMASCRIPT_PROGRAM ?? join(here, "../build/bin/schemascript"),
);
const app = join(here, "../packages/schemascript/test/rows/app.ts");

test("the driver makes of every row what Drizzle makes of it, with the same SQL", () => {
  const { stdout, stderr, status } = spawnSync(program, ["run", "--time-limit", "60s", app], {
    encoding: "utf8",
  });
  assert.match(stdout, /^[5-9]\d\d\d queries, 0 differences\n$/, `${stdout}\n${stderr}`);
  assert.equal(status, 0, stderr);
});
