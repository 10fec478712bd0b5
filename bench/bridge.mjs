#!/usr/bin/env node
// What lies between guest code and SQLite: what a request costs, what rows cost, and whether that is as quick as it is meant to be.
//
//     node bench/bridge.mjs [--build FOLDER] [--rounds N] [--node-packages FOLDER] [PART...]
//
// Every part runs its sides in turns: inside of one process where they can be (bridge/guest.ts), and process after process where they
// cannot. Printed are medians over all rounds, and medians of the ratios within a round.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  atLeast,
  atMost,
  chosen,
  inFolder,
  median,
  medianRatio,
  output,
  printBound,
  printMachine,
} from "./harness.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    build: { type: "string", default: join(here, "../build") },
    rounds: { type: "string", default: "7" },
    // Where better-sqlite3 and drizzle-orm are, for Node's side.
    "node-packages": {
      type: "string",
      default: join(here, "../packages/schemascript/test/compat"),
    },
  },
});
const program = join(resolve(options.build), "bin/schemascript");
const packages = resolve(options["node-packages"]);
const rounds = Number(options.rounds);
// Rounds within one process, for each of the processes.
const innerRounds = 5;
const hasNode = existsSync(join(packages, "node_modules/better-sqlite3"));

// Set when there is a folder to work in.
let folder = "";
let database = "";

const inGuest = (part, count = innerRounds) =>
  JSON.parse(
    output([
      program,
      "run",
      join(here, "bridge/guest.ts"),
      "--db",
      database,
      "--",
      part,
      String(count),
    ]),
  );

const pointSelectInC = () =>
  JSON.parse(output([join(folder, "point-select"), database, String(innerRounds), "10000"]));

const rowsInNode = () =>
  JSON.parse(
    output(["node", join(here, "bridge/node.mjs"), packages, database, String(innerRounds)]),
  );

/** Runs the processes in turns; each answers figures by name, which are put one behind the other. */
function gather(...processes) {
  const all = {};
  for (let round = 0; round < rounds; ++round) {
    for (const process of processes) {
      for (const [name, figures] of Object.entries(process())) (all[name] ??= []).push(...figures);
    }
  }
  return all;
}

const ratio = (figures, one, other) => medianRatio(figures[one], figures[other]);
const difference = (figures, one, other) =>
  median(figures[one].map((figure, round) => figure - figures[other][round]));

function duration(micros) {
  if (micros < 1) return `${(micros * 1000).toFixed(0)} ns`;
  return micros < 1000 ? `${micros.toFixed(2)} µs` : `${(micros / 1000).toFixed(2)} ms`;
}

function print(title, figures, sides, bounds = []) {
  console.log(`\n${title}`);
  for (const [name, what, note = () => ""] of sides) {
    const middle = median(figures[name]);
    console.log(`  ${what.padEnd(66)} ${duration(middle).padStart(10)} ${note(middle)}`);
  }
  for (const { text, ...bound } of bounds) printBound(bound, { width: 66, text });
}

const PARTS = {
  crossing() {
    const figures = gather(() => inGuest("crossing"));
    const more = difference(figures, "request", "hostCall");
    print(
      "A request that the host answers without SQLite, from JavaScript",
      figures,
      [
        ["loop", "nothing: the loop and a call of Math.abs()"],
        ["hostCall", "the cheapest host call: performance.now()"],
        ["request", "a request: __host_sqlite.close() of a closed cursor"],
      ],
      [{ ...atMost("more than the host call, µs", more, 1), text: duration(more) }],
    );
  },

  raw() {
    const figures = gather(
      () => ({ c: pointSelectInC() }),
      () => inGuest("rawGet"),
    );
    print(
      "A prepared select of 4 columns by primary key, without Drizzle",
      figures,
      [
        ["c", "C"],
        ["rawGet", "guest: __host_sqlite.get()"],
      ],
      [atMost("guest / C", ratio(figures, "rawGet", "c"), 4)],
    );
  },

  point() {
    const figures = gather(() => inGuest("point"));
    const sides = [
      ["nativeGet", "get(), binary"],
      ["jsonGet", "get(), JSON"],
      ["proxyGet", "get(), JSON and Drizzle's sqlite-proxy"],
      ["nativeAll", "all(), binary"],
      ["jsonAll", "all(), JSON"],
      ["proxyAll", "all(), JSON and Drizzle's sqlite-proxy"],
    ];
    print("The same as a prepared Drizzle query", figures, sides, [
      atMost("get(): binary / JSON", ratio(figures, "nativeGet", "jsonGet"), 0.5),
      atMost("all(): binary / JSON", ratio(figures, "nativeAll", "jsonAll"), 0.5),
      atMost("get(): binary / sqlite-proxy", ratio(figures, "nativeGet", "proxyGet"), 0.5),
      atMost("all(): binary / sqlite-proxy", ratio(figures, "nativeAll", "proxyAll"), 0.5),
    ]);
  },

  rows() {
    const node = () => ({ node: rowsInNode().proxy });
    const figures = gather(() => inGuest("rows"), ...(hasNode ? [node] : []));
    const sides = [
      ["native", "binary"],
      ["arrays", "binary, arrays instead of objects, without Drizzle"],
      ["json", "JSON, rows decoded by the driver in TypeScript"],
      ["proxy", "JSON and Drizzle's sqlite-proxy"],
    ];
    const bounds = [
      atLeast("JSON / binary", ratio(figures, "json", "native"), 4),
      atLeast("sqlite-proxy / binary", ratio(figures, "proxy", "native"), 4),
    ];
    if (hasNode) {
      sides.push(["node", "Node, sqlite-proxy with JSON onto better-sqlite3"]);
      bounds.push(atMost("binary / Node", ratio(figures, "native", "node"), 1));
    } else {
      console.log(`\nThere is no better-sqlite3 in ${packages}: Node's side is left out.`);
    }
    print("10,000 rows of 4 columns through Drizzle's all()", figures, sides, bounds);
  },

  blob() {
    const figures = gather(() => inGuest("blob"));
    const speed = (micros) => ` (${((1 << 20) / micros).toFixed(0)} MB/s)`;
    const sides = [
      ["native", "binary", speed],
      ["json", "JSON", speed],
    ];
    print("A blob of 1 MiB through Drizzle's get()", figures, sides);
    console.log(`  JSON / binary ${ratio(figures, "json", "native").toFixed(0).padStart(63)}`);
  },

  pieces() {
    const figures = gather(() => inGuest("pieces", 2));
    const memory = (part) => () => ` in a memory of ${leastMemory(part)} MiB`;
    const sides = [
      ["iterate", "for await (... of db.iterate(query))", memory("iterate")],
      ["pieces", "all(), 10 times 10,000 rows", memory("inPieces")],
      ["allAtOnce", "all(), once", memory("atOnce")],
    ];
    print("100,000 rows", figures, sides);
    console.log(
      `  iterate / all() in pieces ${ratio(figures, "iterate", "pieces").toFixed(2).padStart(51)}`,
    );
  },

  writes() {
    const figures = gather(() => inGuest("writes", 3));
    const each = (count) => (micros) => ` (${duration(micros / count)} each)`;
    const sides = [
      ["inTransaction", "10,000 prepared Drizzle inserts in a transaction", each(10_000)],
      [
        "rawInTransaction",
        "10,000 inserts in a transaction through __host_sqlite.run()",
        each(10_000),
      ],
      ["batch", "db.batch() of 100 inserts", each(100)],
      ["singles", "100 inserts", each(100)],
      ["prepared", "100 times a prepared insert", each(100)],
    ];
    print("Writes", figures, sides);
    console.log(
      `  batch / single inserts ${ratio(figures, "batch", "singles").toFixed(2).padStart(54)}`,
    );
  },
};

// The smallest memory, in MiB, in which a part runs to its end.
function leastMemory(part) {
  const runs = (size) =>
    spawnSync(program, [
      "run",
      join(here, "bridge/guest.ts"),
      "--db",
      database,
      "--memory-limit",
      `${size}mb`,
      "--",
      part,
    ]).status === 0;
  let [no, yes] = [2, 512];
  while (yes - no > 1) {
    const middle = (no + yes) >> 1;
    if (runs(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

await inFolder("bridge", (made) => {
  folder = made;
  database = join(folder, "bench.db");
  printMachine();
  const parts = chosen(PARTS, names);
  output([
    process.env.CC ?? "cc",
    "-O2",
    "-o",
    join(folder, "point-select"),
    join(here, "point-select.c"),
    "-lsqlite3",
  ]);
  output([program, "run", join(here, "bridge/seed.ts"), "--db", database, "--push"]);
  for (const part of parts) part();
});
