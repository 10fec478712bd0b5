// Runs the scenarios of scenario/*.test: what a user types, and what the user then sees.
//
// A scenario is one text file. Lines before the first section say what it shows. `-- NAME --` begins a section: a file of that name in
// an otherwise empty folder, or one of
//
//     -- command --   a line for bash, in that folder, with `schemascript` on its PATH
//     -- output --    what the command before prints on standard output, exactly; nothing if left out
//     -- errors --    the same for standard error
//     -- exit --      its exit status; 0 if left out
//
// In an expectation, `<...>` stands for any text within a line, and a line `...` for any number of lines.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript node --test test/scenarios.test.mjs
//
// With SCENARIO=word only those files run whose names have the word in them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(
  process.env.SCHEMASCRIPT_PROGRAM ?? join(here, "../build/bin/schemascript"),
);
const EXPECTATIONS = new Set(["output", "errors", "exit"]);
const SECONDS_MAX = 60;

/** The sections of a scenario: `{ name, text }`, in order. */
function sectionsOf(source) {
  const sections = [];
  for (const line of source.split("\n")) {
    const heading = /^-- (.+) --$/.exec(line);
    if (heading) sections.push({ name: heading[1], lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections.map(({ name, lines }) => ({
    name,
    text: lines.join("\n").replace(/\n*$/, "\n").replace(/^\n$/, ""),
  }));
}

/** The regular expression that an expectation stands for. */
function patternOf(expectation) {
  const quote = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const lines = expectation.split("\n").slice(0, -1);
  const patterns = lines.map((line) =>
    line === "..." ? "(?:.*\\n)*?" : `${line.split("<...>").map(quote).join(".*")}\\n`,
  );
  return new RegExp(`^${patterns.join("")}$`);
}

function assertMatches(actual, expectation, what) {
  if (patternOf(expectation).test(actual)) return;
  assert.equal(actual, expectation, `${what} differs`);
  assert.fail(`${what} differs`);
}

/** A command with what is expected of it. */
function* stepsOf(sections) {
  for (let at = 0; at < sections.length; ++at) {
    if (sections[at].name !== "command") continue;
    const step = { command: sections[at].text.trim(), output: "", errors: "", exit: "0" };
    while (EXPECTATIONS.has(sections[at + 1]?.name)) step[sections[++at].name] = sections[at].text;
    yield step;
  }
}

function runScenario(file) {
  const sections = sectionsOf(readFileSync(join(here, "scenario", file), "utf8"));
  const folder = mkdtempSync(join(tmpdir(), "scenario-"));
  try {
    for (const { name, text } of sections) {
      if (name === "command" || EXPECTATIONS.has(name)) continue;
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    let steps = 0;
    for (const { command, output, errors, exit } of stepsOf(sections)) {
      const result = spawnSync("bash", ["-c", command], {
        cwd: folder,
        encoding: "utf8",
        timeout: SECONDS_MAX * 1000,
        env: { ...process.env, NO_COLOR: "1", PATH: `${dirname(program)}:${process.env.PATH}` },
      });
      const status = result.status ?? result.signal ?? String(result.error);
      const shown = `$ ${command}\n${result.stdout}\n[errors]\n${result.stderr}`;
      assert.equal(String(status), exit.trim(), `exit status of\n${shown}`);
      assertMatches(result.stdout, output, `output of $ ${command}\n[errors]\n${result.stderr}`);
      assertMatches(result.stderr, errors, `errors of $ ${command}`);
      ++steps;
    }
    assert.notEqual(steps, 0, `${file} has no command`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const files = readdirSync(join(here, "scenario"))
  .filter((file) => file.endsWith(".test") && file.includes(process.env.SCENARIO ?? ""))
  .sort();
assert.notEqual(files.length, 0, "no scenario has that name");
for (const file of files) test(file.replace(/\.test$/, ""), () => runScenario(file));
