// Rows by their shape against Drizzle's own mapping of rows, inside of the sandbox and over the host: every form of a query, and
// every type behind values of any class.
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

test("the driver makes of every row what Drizzle makes of it", () => {
  const { stdout, stderr, status } = spawnSync(program, ["run", "--time-limit", "60s", app], {
    encoding: "utf8",
  });
  assert.match(stdout, /^[3-9]\d\d\d queries, 0 differences\n$/, `${stdout}\n${stderr}`);
  assert.equal(status, 0, stderr);
});
