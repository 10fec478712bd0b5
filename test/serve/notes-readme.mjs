// The commands in the README of examples/notes-api answer what stands below them; `…` stands for any text in a line, and as a line
// for any lines.
import { execFile, execFileSync } from "node:child_process";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { Server, top } from "./server.mjs";

/** What keeps it from being tried: `--json` and `%header{}` came with curl 7.84. */
function hindrance() {
  try {
    const version = /^curl (\d+)\.(\d+)/.exec(
      execFileSync("curl", ["--version"], { encoding: "utf8" }),
    );
    return Number(version[1]) * 1000 + Number(version[2]) >= 7084
      ? false
      : "curl is older than 7.84";
  } catch {
    return "there is no curl";
  }
}

const quote = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const patternOf = (lines) =>
  new RegExp(
    `^${lines.map((line) => (line === "…" ? "(?:.*\n)*?" : `${line.split("…").map(quote).join(".*")}\n`)).join("")}$`,
  );

test("the README of notes-api says what happens", { skip: hindrance() }, async () => {
  const readme = readFileSync(join(top, "examples/notes-api/README.md"), "utf8");
  const shown = readme.split("\n").filter((line) => line.startsWith("    "));
  const steps = [];
  for (const line of shown.map((text) => text.slice(4))) {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), lines: [] });
    else steps.at(-1)?.lines.push(line);
  }
  assert.ok(steps.length >= 14);
  const server = await Server.start("examples/notes-api/app.ts");
  try {
    for (const { command, lines } of steps) {
      const words = command.replaceAll("localhost:8787", `localhost:${server.port}`);
      const { stdout } = await promisify(execFile)("bash", ["-c", words], { encoding: "utf8" });
      const text = stdout.replaceAll("\r", "").replace(/([^\n])$/, "$1\n");
      assert.match(text, patternOf(lines), command);
    }
  } finally {
    await server.stop();
  }
});
