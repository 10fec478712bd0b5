#!/usr/bin/env node
// The benchmarks: each compares two commands in turn (A B A B ...), because machines are shared and noisy, and prints medians and the
// median of the ratios of neighbouring runs.
//
//     bench/run [--build FOLDER] [--rounds N] [NAME...]        NAME: start, call, fib, isolates, tenants; all if none is named
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  atMost,
  check,
  chosen,
  inFolder,
  median,
  medianRatio,
  nativeQuickJs,
  printBound,
  printMachine,
  timed,
} from "./harness.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    build: { type: "string", default: join(here, "../build") },
    rounds: { type: "string", default: "25" },
  },
});
const build = resolve(options.build);
const program = join(build, "bin/schemascript");
const rounds = Number(options.rounds);

/** `measure(result)` takes the figure from a run; the process's own time if it is left out. Answers the ratio. */
function pair(title, a, b, measure = ({ wall }) => wall) {
  const figures = { a: [], b: [] };
  for (let round = -1; round < rounds; ++round) {
    const one = measure(timed(a.command));
    const other = measure(timed(b.command));
    if (round < 0) continue; // The first of each is not counted.
    figures.a.push(one);
    figures.b.push(other);
  }
  const ratio = medianRatio(figures.a, figures.b);
  console.log(`\n${title}`);
  for (const [side, { name }] of Object.entries({ a, b })) {
    const sorted = figures[side];
    console.log(
      `  ${name.padEnd(44)} ${median(sorted).toFixed(2).padStart(9)} ms   (min ${Math.min(...sorted).toFixed(2)})`,
    );
  }
  console.log(`  ratio, median of ${rounds} pairs`.padEnd(46) + ` ${ratio.toFixed(3).padStart(9)}`);
  return Number(ratio.toFixed(3));
}

/** The app of `isolates` and `tenants`, as one module. */
function isolatesApp(folder) {
  const bundle = join(folder, "isolates-app.js");
  timed([program, "bundle", join(here, "isolates-app.ts"), "--output", bundle]);
  return [join(build, "lib/schemascript"), bundle];
}

/** A database with one user, and its file. */
function seeded(folder) {
  const database = join(folder, "users.db");
  if (existsSync(database)) return database;
  const seed = join(folder, "seed.ts");
  writeFileSync(
    seed,
    `import { database, Table } from "schemascript";
const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
await database().insert(users).values({ name: "Ada" });
`,
  );
  timed([program, "run", seed, "--db", database, "--push"]);
  return database;
}

const BENCHMARKS = {
  /** The whole process of a script that prints one prepared Drizzle query, with its bundle cached, against an empty Node. */
  start(folder) {
    const script = join(folder, "start.ts");
    writeFileSync(
      script,
      `import { eq, sql } from "drizzle-orm";
import { database, Table } from "schemascript";
const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
const db = database({ users });
const byId = db.select().from(users).where(eq(users.id, sql.placeholder("id"))).prepare();
console.log(await byId.get({ id: 1 }));
`,
    );
    const database = seeded(folder);
    const command = [program, "run", script, "--db", database];
    if (timed(command).output !== "{ id: 1, name: 'Ada' }\n")
      throw new Error("the query has another answer");
    const ratio = pair(
      "Process start to end: one prepared Drizzle query",
      { name: "schemascript run", command },
      { name: "node -e 0", command: ["node", "-e", "0"] },
    );
    printBound(atMost("ratio", ratio, 0.25));
  },

  /** The same query as an export of an app, called once, with its bundle and its snapshot cached. */
  call(folder) {
    const app = join(folder, "call.ts");
    writeFileSync(
      app,
      `import { eq, sql } from "drizzle-orm";
import { database, Table } from "schemascript";
const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
const db = database({ users });
const byId = db.select().from(users).where(eq(users.id, sql.placeholder("id"))).prepare();
export const get = (values: { id: number }) => byId.get(values);
`,
    );
    const command = [program, "call", app, "get", '{"id":1}', "--db", seeded(folder)];
    if (timed(command).output !== '{"id":1,"name":"Ada"}\n')
      throw new Error("the query has another answer");
    const ratio = pair(
      "Process start to end: one exported function that makes one prepared Drizzle query",
      { name: "schemascript call", command },
      { name: "node -e 0", command: ["node", "-e", "0"] },
    );
    printBound(atMost("ratio", ratio, 0.25));
  },

  /** The engine alone: compiled to WebAssembly and ahead of time, against the same sources compiled natively. */
  fib(folder) {
    const source = `function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
let best = Infinity;
for (let round = 0; round < 9; ++round) {
  const begin = performance.now();
  if (fib(25) !== 75025) throw new Error("wrong");
  best = Math.min(best, performance.now() - begin);
}
console.log(best);
`;
    const script = join(folder, "fib.js");
    writeFileSync(script, source);
    pair(
      "fib(25), the best of nine in one process",
      { name: "QuickJS in the sandbox", command: [program, "run", script] },
      { name: "QuickJS, native", command: [nativeQuickJs(build), script] },
      ({ output }) => Number(output),
    );
  },

  /** Calls in a guest that is reset before each, against calls in one that keeps its state; in one process, which takes turns itself. */
  isolates(folder) {
    const app = isolatesApp(folder);
    for (const [name, what, ratioMax] of [
      ["get", "One prepared Drizzle query", 1.5],
      ["build", "The same query, built anew each time"],
      ["nothing", "A function that answers null"],
    ]) {
      const { output } = timed([join(build, "bin/isolates-bench"), ...app, name, "7"]);
      console.log(`\n${what}\n${output.trimEnd()}`);
      if (ratioMax === undefined) continue;
      const ratio = Number(/ratio.*?([\d.]+)$/m.exec(output)[1]);
      printBound(atMost("reset and call over the call", ratio, ratioMax));
      const micros = Number(/new isolate.*? ([\d.]+) us/.exec(output)[1]);
      printBound(atMost("new isolate, us", micros, 1000));
    }
    const turns = [...app, "build", "7", "2000", "get"];
    const { output } = timed([join(build, "bin/isolates-bench"), ...turns]);
    console.log(`\nThe query built anew, in turns with the prepared one\n${output.trimEnd()}`);
    for (const [, ratio] of output.matchAll(/ratio.*?([\d.]+)$/gm)) {
      printBound(atMost("built anew over prepared", Number(ratio), 2.5));
    }
  },

  /** Tenants with a database file each, called in turns. */
  tenants(folder) {
    const app = isolatesApp(folder);
    const databases = join(folder, "tenants");
    mkdirSync(databases);
    for (const isolation of ["request", "worker"]) {
      console.log(`\nTenants that are called in turns, isolation ${isolation}`);
      for (const count of ["10", "100", "1000"]) {
        const command = [join(build, "bin/tenants-bench"), ...app, databases, isolation, count];
        const { output } = timed(command);
        console.log(output.trimEnd());
        if (count !== "1000") continue;
        const megabytes = Number(/([\d.]+) MB proportional/.exec(output)[1]);
        printBound(atMost("proportional memory, MB", megabytes, 1536));
      }
    }
  },
};

await inFolder("run", (folder) => {
  printMachine();
  for (const benchmark of chosen(BENCHMARKS, names)) benchmark(folder);
});
