// What the benchmarks have in common: processes that are run to their end, medians of sides that take turns, and bounds.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";

/** Of an odd number of figures the one in the middle, of an even number the higher one of the two. */
export const median = (numbers) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** The median of what one side takes, divided by what the other takes in the same round. */
export const medianRatio = (one, other) =>
  median(one.map((figure, round) => figure / other[round]));

/** Throws with what a process printed, unless it ended well. `result` is that of spawnSync(). */
export function check(result, [command, ...words]) {
  if (result.status === 0) return result;
  throw new Error(`${command} ${words.join(" ")} failed: ${result.error ?? result.stderr}`);
}

/** One run of a whole process: its wall clock in milliseconds, and what it printed. */
export function timed([command, ...words]) {
  const begin = process.hrtime.bigint();
  const result = spawnSync(command, words, { encoding: "utf8" });
  const wall = Number(process.hrtime.bigint() - begin) / 1e6;
  check(result, [command, ...words]);
  return { wall, output: result.stdout };
}

/** What a process prints. */
export const output = (command) => timed(command).output;

/** @typedef {{ what: string, figure: number, bound: number, words: string, holds: boolean }} Bound */

/** @returns {Bound} */
export const atMost = (what, figure, bound) => ({
  what,
  figure,
  bound,
  words: `at most ${bound}`,
  holds: figure <= bound,
});

/** @returns {Bound} */
export const atLeast = (what, figure, bound) => ({
  what,
  figure,
  bound,
  words: `at least ${bound}`,
  holds: figure >= bound,
});

/** One line: the figure, and whether it is what it is asked to be. `text` says it in its unit. */
export function printBound({ what, figure, words, holds }, { width = 44, text } = {}) {
  const shown = text ?? String(Number(figure.toFixed(3)));
  console.log(
    `  ${what.padEnd(width)} ${shown.padStart(10)}  ${words}: ${holds ? "holds" : "DOES NOT HOLD"}`,
  );
}

/** The machine, and what else it had to do before. */
export function printMachine() {
  const load = readFileSync("/proc/loadavg", "utf8").split(" ")[0];
  console.log(
    `${cpus().length} x ${cpus()[0].model.trim()}, Node ${process.version}; load before: ${load}`,
  );
}

/** The benchmarks of `table` that are called `names`, in this order; all if none is named. Throws before any of them has run. */
export function chosen(table, names) {
  return (names.length > 0 ? names : Object.keys(table)).map((name) => {
    if (table[name]) return table[name];
    throw new Error(`there is no benchmark '${name}': ${Object.keys(table).join(", ")}`);
  });
}

/** Calls `work` with a folder that is removed when it has ended, also when it throws. */
export async function inFolder(name, work) {
  const folder = mkdtempSync(join(tmpdir(), `bench-${name}-`));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The qjs program of the very sources that the guest is made of, built with its own Makefile's flags once. */
export function nativeQuickJs(build) {
  const setup = Object.fromEntries(
    readFileSync(join(build, "setup.env"), "utf8")
      .split("\n")
      .map((line) => /^(\w+)=['"]?(.*?)['"]?$/.exec(line)?.slice(1))
      .filter(Boolean),
  );
  const folder = join(build, "quickjs-native");
  const qjs = join(folder, "qjs");
  if (existsSync(qjs)) return qjs;
  mkdirSync(folder, { recursive: true });
  check(spawnSync("cp", ["-r", `${setup.QUICKJS_SOURCE_DIR}/.`, folder]), ["cp"]);
  check(spawnSync("make", ["-C", folder, "CONFIG_LTO=", "qjs"], { encoding: "utf8" }), [
    "make",
    "qjs",
  ]);
  return qjs;
}
