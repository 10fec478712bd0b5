// layers-bench under callgrind: what each layer takes, in instructions and in fuel.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** What ends a command with a sentence instead of a stack. */
export class Failure extends Error {}

/** What a command prints. */
export function run(command, words, options = {}) {
  const result = spawnSync(command, words, { encoding: "utf8", maxBuffer: 2 ** 26, ...options });
  if (result.status === 0) return result.stdout;
  if (result.error?.code === "ENOENT") throw new Failure(`${command} is not installed`);
  const why = result.error ?? (result.stderr || `status ${result.status}`);
  throw new Failure(`${command} ${words.join(" ")} failed: ${why}`);
}

/** Ends the process: 0 or what `main` answers, 2 after a Failure. */
export function end(name, main) {
  try {
    process.exitCode = main() ?? 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = 2;
  }
}

/** The path of layers-bench in a build. */
export function programOf(build) {
  const program = join(build, "bin/layers-bench");
  if (!existsSync(program)) throw new Failure(`there is no ${program}: make`);
  return program;
}

/** Calls `work` with a folder that is gone afterwards. */
export function withFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), "bench-layers-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes the bundle of guests-app.ts; any build can load it, what it imports is each build's own. */
export function bundleOf(build, folder) {
  const bundle = join(folder, "app.js");
  const program = join(build, "bin/schemascript");
  writeFileSync(bundle, run(program, ["bundle", join(root, "bench/guests-app.ts")]));
  return bundle;
}

/** The fuel of each layer that runs a guest, without valgrind. */
export function fuelOf(build, bundle) {
  const words = [join(build, "lib/schemascript"), bundle, "--count"];
  const counts = run(programOf(build), words)
    .trim()
    .split("\n")
    .map((line) => line.split("\t"));
  return new Map(counts.map(([name, , fuel]) => [name, Number(fuel)]));
}

/**
 * Counts each layer, or `layer` alone. Instructions and fuel are those of one time; `dump` is what callgrind wrote.
 * @returns {Map<string, { instructions: number, fuel: number, times: number, dump: string }>}
 */
export function countsOf(build, bundle, layer) {
  return withFolder((folder) => {
    const lines = run("valgrind", [
      "--quiet",
      "--tool=callgrind",
      // A dump of its own has all names.
      "--compress-strings=no",
      `--callgrind-out-file=${join(folder, "counts")}`,
      programOf(build),
      join(build, "lib/schemascript"),
      bundle,
      "--count",
      ...(layer ? [layer] : []),
    ]);
    const dumps = new Map();
    for (const file of readdirSync(folder)) {
      const text = readFileSync(join(folder, file), "utf8");
      const name = /^desc: Trigger: Client Request: (.*)$/m.exec(text)?.[1];
      if (name) dumps.set(name, text);
    }
    const counts = new Map();
    for (const line of lines.trim().split("\n")) {
      const [name, times, fuel] = line.split("\t");
      const dump = dumps.get(name);
      if (!dump) throw new Failure("valgrind's header was missing when it was built: make");
      const total = Number(/^totals: (\d+)$/m.exec(dump)[1]);
      const instructions = total / Number(times);
      counts.set(name, { instructions, fuel: Number(fuel), times: Number(times), dump });
    }
    return counts;
  });
}
