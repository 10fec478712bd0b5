// The README's example does what the README says: its `app.ts` is run, and what it prints is what stands below it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const top = join(dirname(fileURLToPath(import.meta.url)), "..");
const program = resolve(process.env.SCHEMASCRIPT_PROGRAM ?? join(top, "build/bin/schemascript"));
const readme = readFileSync(join(top, "README.md"), "utf8");

/** The lines of an indented block, from the one after `first` up to the one before `last`. */
function shown(first, last) {
  const lines = readme.split("\n").map((line) => line.replace(/^ {4}/, ""));
  const begin = lines.indexOf(first);
  assert.notEqual(begin, -1, `the README has no line "${first}"`);
  const end = lines.indexOf(last, begin);
  return lines.slice(begin + 1, end === -1 ? undefined : end);
}

test("the example prints what is shown", () => {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  try {
    writeFileSync(join(folder, "app.ts"), /```ts\n([\s\S]*?)```/.exec(readme)[1]);
    const result = spawnSync(program, ["run", "app.ts", "--db", "app.db", "--push"], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    const expected = shown("$ build/bin/schemascript run app.ts --db app.db --push", "$ echo $?");
    assert.deepEqual((result.stdout + result.stderr).trimEnd().split("\n"), expected);
    assert.equal(result.status, Number(shown("$ echo $?", "")[0]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the calls answer what is shown", () => {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  try {
    const [, app] = readme.split("`users.ts`:");
    writeFileSync(join(folder, "users.ts"), /```ts\n([\s\S]*?)```/.exec(app)[1]);
    const block = app.slice(app.indexOf("    $ ")).split("\n\n")[0];
    const session = block.split("\n").map((line) => line.replace(/^ {4}/, ""));
    const commands = session.filter((line) => line.startsWith("$ "));
    assert.equal(commands.length, 3);
    for (const command of commands) {
      const words = command.slice(2).replace("build/bin/schemascript", program);
      const result = spawnSync("bash", ["-c", words], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, NO_COLOR: "1" },
      });
      const expected = session[session.indexOf(command) + 1];
      assert.equal((result.stdout + result.stderr).trimEnd(), expected, command);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the trace of a call is what is shown", () => {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  try {
    const [, app] = readme.split("`users.ts`:");
    writeFileSync(join(folder, "users.ts"), /```ts\n([\s\S]*?)```/.exec(app)[1]);
    const call = (words) =>
      spawnSync("bash", ["-c", words.replace("build/bin/schemascript", program)], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, NO_COLOR: "1" },
      });
    const add = readme.split("\n").find((line) => line.includes("users.ts add"));
    assert.equal(call(add.replace("$", "")).status, 0);
    const command = readme.split("\n").find((line) => line.includes("--trace-sql --show-values"));
    const result = call(command.replace("$", ""));
    const withoutTimes = (text) => text.replace(/\d+\.\d{3} ms/g, "TIME");
    const expected = shown(command.trim(), "").join("\n");
    assert.equal(withoutTimes(result.stdout + result.stderr).trimEnd(), withoutTimes(expected));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the notes example prints what is shown", () => {
  const result = spawnSync(program, ["run", join(top, "examples/notes/app.ts"), "--push"], {
    encoding: "utf8",
  });
  assert.equal(result.stderr, "");
  const lines = result.stdout.trimEnd().split("\n");
  assert.ok(readme.includes(lines.map((line) => `    ${line}`).join("\n")), result.stdout);
});
