// bench/run: workloads against contenders. See bench/README.md.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { nativeQuickJs } from "../harness.mjs";
import { contenders as allContenders } from "./contenders.mjs";
import { chartOf, problemsOf, tableOf } from "./report.mjs";
import { Place, suite } from "./setup.mjs";
import { runWorkload, WORKLOADS } from "./suite.mjs";

const USAGE = `Usage: bench/run WORKLOAD [CONTENDER...] [OPTIONS]
       bench/run all [CONTENDER...]
       bench/run list

Options:
  --rounds N       at most (default: 3)
  --bound SECONDS  of one workload: no round begins that would end later (default: 90)
  --seconds N      of each server's load in http (default: 4)
  --build FOLDER   of SchemaScript (default: build)
  --output FOLDER  for results.md, and a .json and a .svg of each workload (default: build/bench)
`;

const say = (text) => process.stderr.write(`${text}\n`);

function fail(text) {
  say(`bench/run: ${text}`);
  process.exit(2);
}

/** A line of progress, which a terminal shows and nothing else keeps. */
const progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(text ? `\r\x1b[K${text}` : "\r\x1b[K");
};

function machine() {
  const [processor] = cpus();
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  return {
    processors: cpus().length,
    model: processor.model.trim(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system,
    load: Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]),
  };
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: "string", default: "3" },
        bound: { type: "string", default: "90" },
        seconds: { type: "string", default: "4" },
        build: { type: "string", default: join(suite, "../../build") },
        output: { type: "string" },
      },
    });
  } catch (error) {
    return fail(`${error.message}\n\n${USAGE}`);
  }
}

/** A number that is at least 1. */
function number(options, name) {
  const value = Number(options[name]);
  if (!(value >= 1)) fail(`--${name}: '${options[name]}' is not a number that is at least 1`);
  return value;
}

const { values: options, positionals } = parse();
const [workload, ...ids] = positionals;
if (!workload) fail(`name a workload: ${Object.keys(WORKLOADS).join(", ")}, or all\n\n${USAGE}`);
const build = resolve(options.build);
const output = resolve(options.output ?? join(build, "bench"));
const names = workload === "all" ? Object.keys(WORKLOADS) : [workload];
if (workload !== "list" && !names.every((name) => WORKLOADS[name])) {
  fail(`there is no workload ${workload}: ${Object.keys(WORKLOADS).join(", ")}, or all`);
}
const limits = {
  rounds: number(options, "rounds"),
  bound: number(options, "bound"),
  seconds: number(options, "seconds"),
};

const place = new Place({ say });
// It is built for JavaScript alone.
const wantsQuickJs = names.includes("javascript") && (ids.length === 0 || ids.includes("quickjs"));
const quickJs = wantsQuickJs ? nativeQuickJs(build) : undefined;
const known = allContenders(place, { program: join(build, "bin/schemascript"), build, quickJs });
for (const id of ids) {
  if (!known.some((contender) => contender.id === id)) {
    fail(`there is no contender ${id}: ${known.map((contender) => contender.id).join(", ")}`);
  }
}
if (workload === "list") {
  console.log("workloads:");
  for (const [name, { what }] of Object.entries(WORKLOADS))
    console.log(`  ${name.padEnd(18)}${what}`);
  console.log("contenders:");
  for (const { id, label, sandbox } of known) {
    console.log(`  ${id.padEnd(18)}${label}; sandbox: ${sandbox}`);
  }
  process.exit(0);
}

const chosen = known.filter(({ id }) => ids.length === 0 || ids.includes(id));
const skipped = chosen
  .map((contender) => ({ id: contender.id, label: contender.label, why: contender.find() }))
  .filter(({ why }) => why);
const here = chosen.filter(({ id }) => !skipped.some((one) => one.id === id));

const about = machine();
const versions = Object.fromEntries(
  await Promise.all(here.map(async (contender) => [contender.id, await contender.version()])),
);
const date = new Date().toISOString().slice(0, 10);
const head = [
  `${about.processors} x ${about.model}, ${about.memory}, ${about.system}; load before: ${about.load}; ${date}`,
  [...new Set(Object.values(versions))].join("; "),
  ...skipped.map(({ label, why }) => `skipped: ${label}: ${why}`),
];
mkdirSync(output, { recursive: true });
const sections = [];
let hasProblem = false;
console.log(head.join("\n"));
for (const name of names) {
  const run = await runWorkload(name, here, { ...limits, place, say: progress });
  progress("");
  const { what } = WORKLOADS[name];
  const title = `${name}: ${what}`;
  const table = tableOf(run);
  const notes = [
    `Medians of ${run.rounds} ${run.rounds === 1 ? "round" : "rounds"}.`,
    ...problemsOf(run),
  ];
  console.log(`\n${title}\n\n${table}\n\n${notes.join("\n")}`);
  sections.push(`## ${title}\n\n![${name}](${name}.svg)\n\n${table}\n\n${notes.join("\n\n")}`);
  writeFileSync(join(output, `${name}.svg`), chartOf(run, title));
  writeFileSync(
    join(output, `${name}.json`),
    `${JSON.stringify({ date, machine: about, versions, skipped, ...run }, null, 2)}\n`,
  );
  hasProblem ||= run.results.some(({ problem }) => problem);
}
writeFileSync(
  join(output, "results.md"),
  `# bench/run ${workload}\n\n${head.join("\n\n")}\n\n${sections.join("\n\n")}\n`,
);
console.log(`\nwritten to ${output}`);
process.exit(hasProblem ? 1 : 0);
