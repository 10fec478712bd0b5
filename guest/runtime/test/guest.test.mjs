// Every *.guest.ts prints the same with this runtime as in Node itself, and none of its cases
// fails.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { bundleTest, qjs, runInNode, runInQjs, runInRealm, testFolder } from "./support.mjs";

// The real thing: the program that runs them in the sandbox.
const program = process.env.SCHEMASCRIPT_PROGRAM;

const files = (await readdir(testFolder)).filter((file) => file.endsWith(".guest.ts")).sort();
const nativeSource = await readFile(join(testFolder, "qjs-native.js"), "utf8");

/** The lines that differ, with what stands before them; a whole diff of thousands of lines helps nobody. */
function compare(actual, expected) {
  const [got, wanted] = [actual.split("\n"), expected.split("\n")];
  const differences = [];
  for (let i = 0; i < Math.max(got.length, wanted.length) && differences.length < 40; ++i) {
    if (got[i] !== wanted[i])
      differences.push(`line ${i + 1}:\n  here ${got[i]}\n  node ${wanted[i]}`);
  }
  assert.equal(differences.length, 0, `\n${differences.join("\n")}`);
}

function check(output) {
  const failures = output.split("\n").filter((line) => line.startsWith("not ok"));
  assert.deepEqual(failures, []);
  assert.match(output, /^# [1-9]\d* cases, 0 failed$/m);
}

for (const file of files) {
  const source = await bundleTest(file);
  const expected = await runInNode(source);
  test(`${file} in Node, the oracle`, () => check(expected));
  test(`${file} in a bare V8 realm`, async () => {
    const output = await runInRealm(source);
    check(output);
    compare(output, expected);
  });
  test(
    `${file} in the sandbox`,
    { skip: program === undefined && "SCHEMASCRIPT_PROGRAM names no program" },
    async () => {
      const { stdout } = await promisify(execFile)(program, ["run", join(testFolder, file)], {
        maxBuffer: 1 << 26,
      });
      check(stdout);
      compare(stdout, expected);
    },
  );
  test(
    `${file} in QuickJS`,
    { skip: qjs === undefined && "QJS names no qjs program" },
    async () => {
      const output = await runInQjs(source, nativeSource);
      check(output);
      compare(output, expected);
    },
  );
}
