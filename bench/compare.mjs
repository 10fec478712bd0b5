// bench/compare: the instructions and the fuel that each layer takes, in another revision and in this one. Nothing is timed, so that a busy
// machine, or CI, sees what a quiet one sees.
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundleOf, countsOf, end, Failure, programOf, root, run, withFolder } from "./layers.mjs";

const USAGE = `Usage: bench/compare REV [OPTIONS]
       bench/compare --before FOLDER [OPTIONS]

Options:
  --build FOLDER   of what is compared (default: build)
  --before FOLDER  of what it is compared with, instead of a REV that is built first, in build/compare
  --bound RATIO    of instructions and of fuel, beyond which a layer has become slower (default: 1.03)
  --json FILE      writes the counts there, too
`;

/** Builds what is measured of a revision, in a work tree of its own, which stays for the next time. */
function buildOf(revision, build) {
  const commit = run("git", ["-C", root, "rev-parse", "--verify", `${revision}^{commit}`]).trim();
  const tree = join(build, "compare", commit.slice(0, 12));
  if (!existsSync(tree)) {
    run("git", ["-C", root, "worktree", "prune"]);
    run("git", ["-C", root, "worktree", "add", "--detach", tree, commit]);
  }
  if (!existsSync(join(tree, "bench/layers.cc"))) {
    throw new Failure(`${revision} is too old: it has no bench/layers.cc, which counts`);
  }
  process.stderr.write(`building ${revision} in ${tree}\n`);
  const shown = { stdio: ["ignore", 2, 2] };
  run("make", ["-C", tree, "program", "BUILD=build"], shown);
  run("ninja", ["-C", join(tree, "build"), "layers-bench"], shown);
  return join(tree, "build");
}

const shown = (number) => Math.round(number).toLocaleString("en-US");
const ratioOf = (now, before) => (now === before ? 1 : now / before);

/** Prints a line for each layer, and answers those that take more than `bound` times what they took. */
function compare(before, now, bound) {
  const slower = [];
  const rows = [["layer", "instructions", "before", "ratio", "fuel", "before"]];
  for (const [name, count] of now) {
    const other = before.get(name);
    const ratio = other && ratioOf(count.instructions, other.instructions);
    rows.push([
      name,
      shown(count.instructions),
      other ? shown(other.instructions) : "",
      other ? ratio.toFixed(3) : "new",
      count.fuel ? shown(count.fuel) : "",
      other?.fuel ? shown(other.fuel) : "",
    ]);
    if (other && Math.max(ratio, ratioOf(count.fuel, other.fuel)) > bound) slower.push(name);
  }
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  const padded = (cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]));
  for (const row of rows) console.log(row.map(padded).join("  ").trimEnd());
  return slower;
}

function parse() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        build: { type: "string", default: join(root, "build") },
        before: { type: "string" },
        bound: { type: "string", default: "1.03" },
        json: { type: "string" },
      },
    });
    if (positionals.length !== (values.before ? 0 : 1)) throw new Error("name one revision");
    if (!(Number(values.bound) >= 1)) throw new Error(`--bound: '${values.bound}' is below 1`);
    return { ...values, revision: positionals[0] };
  } catch (error) {
    throw new Failure(`${error.message}\n\n${USAGE}`);
  }
}

const plain = (counts) =>
  Object.fromEntries(
    [...counts].map(([name, { instructions, fuel }]) => [name, { instructions, fuel }]),
  );

end("bench/compare", () => {
  const options = parse();
  const build = resolve(options.build);
  programOf(build);
  const other = options.before ? resolve(options.before) : buildOf(options.revision, build);
  const [before, now] = withFolder((folder) => {
    const bundle = bundleOf(build, folder);
    return [countsOf(other, bundle), countsOf(build, bundle)];
  });
  if (options.json) {
    const counts = { before: plain(before), now: plain(now) };
    writeFileSync(options.json, `${JSON.stringify(counts, null, 2)}\n`);
  }
  const slower = compare(before, now, Number(options.bound));
  console.log(
    slower.length === 0
      ? `\nno layer takes more than ${options.bound} times what it took`
      : `\nmore than ${options.bound} times what it took: ${slower.join("; ")}`,
  );
  return slower.length === 0 ? 0 : 1;
});
