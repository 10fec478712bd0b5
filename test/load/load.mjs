#!/usr/bin/env node
// A mixed load on `schemascript serve` for a chosen time, and what has to hold under it.
//
//     node test/load/load.mjs [--seconds N] [--rate N] [--seed N] [--program FILE] [--report FILE] [mixed|killed...]
//
// mixed   One server with one database and one with a hundred tenants, of which one loops all the time, get requests of every kind
//         (mix.mjs), while the app is reloaded, also with versions that cannot be built.
// killed  Both are killed (SIGKILL) at random moments, and started again.
//
// Every answer is held against what it has to be; every write against the database at the end. Ends with 1 when anything was not as it has to be.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { randomFrom } from "../random.mjs";
import { Fate } from "./journal.mjs";
import { LOOPS, MIXES, pick } from "./mix.mjs";
import { freePort, output, Server } from "./server.mjs";
import { Target } from "./target.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    program: {
      type: "string",
      default: process.env.SCHEMASCRIPT_PROGRAM ?? join(here, "../../build/bin/schemascript"),
    },
    // How long each of the runs puts load on the servers.
    seconds: { type: "string", default: "20" },
    // Requests a second of each of the two servers.
    rate: { type: "string", default: "250" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    // All that the text says and more, as JSON.
    report: { type: "string" },
  },
});
const program = resolve(options.program);
const seconds = Number(options.seconds);
const rate = Number(options.rate);
const seed = Number(options.seed);

const TENANTS = Array.from({ length: 100 }, (_, index) => `tenant-${index}`);
// The first one's app never comes to an end.
const LOOPING = 0;
// More requests than these do not wait for one server: they are skipped, and counted.
const IN_FLIGHT_MAX = 256;
const TICK_TIME = 5;
const RELOAD_EVERY = 3_000;
const RELOADED_TIME_MAX = 15_000;
const DRAINED_TIME_MAX = 15_000;
const ENDED_TIME_MAX = 30_000;

// Of the well-meant requests, how many may be told that the server is too busy.
const REFUSED_PART_MAX = 0.02;
// How long 99 of 100 reads of the tenants take at most beside the one that loops, in milliseconds. A machine that has other work may stop
// everything for longer than a short run can even out.
const NEIGHBOUR_P99_MAX = seconds < 120 ? 1_000 : 150;
// How much more the median of the last third of a run may be than that of the first: the longer it is, the less, since what caches and
// reloads take is found in its first minutes.
function growthMaxOf(time) {
  if (time < 120) return { part: 0.25, megabytes: 32 };
  if (time < 900) return { part: 0.1, megabytes: 16 };
  return { part: 0.05, megabytes: 8 };
}
const growthMax = growthMaxOf(seconds);
// A burst opens further connections to a database (64 at most, of some three files each), which stay open for a while; a short run may have its
// only burst at the end.
const FILES_GROWTH_MAX = seconds < 120 ? 200 : 64;
// As far as the caches of databases and isolates are filled.
const warmUp = Math.min(60, seconds / 4);

const LIMITS = {
  // Longer than slow clients take, who wait behind loops as well.
  single: ["runTimeMax=2s"],
  // A loop is at its end after some tenths of a second.
  tenants: ["runTimeMax=5s", "fuelMax=100000000"],
};

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

// In the message about a version that cannot be built.
const BROKEN = "brokenOnPurpose";

/** The app of one version; a text instead of a number is where it cannot be built. */
function writeApp(folder, version) {
  const source = readFileSync(join(here, "app.ts"), "utf8");
  writeFileSync(
    join(folder, "app.ts"),
    typeof version === "string"
      ? `${source}\nconst one ${version};\n`
      : source.replace("const VERSION = 0;", `const VERSION = ${version};`),
  );
}

/** A folder with the app, its databases, and its server, which has not been started. */
async function prepare(folder, name, random) {
  const home = join(folder, name);
  mkdirSync(join(home, "tenants"), { recursive: true });
  for (const file of ["tables.ts", "check.ts", "value.mjs"])
    copyFileSync(join(here, file), join(home, file));
  writeApp(home, 0);
  const database = join(home, `${name}.db`);
  output(program, ["push", join(home, "tables.ts"), "--db", database]);
  const tenants = name === "tenants" ? TENANTS : [];
  const fileOf = (tenant) =>
    tenants.length > 0 ? join(home, "tenants", `${tenant}.db`) : database;
  for (const tenant of tenants) copyFileSync(database, fileOf(tenant));

  const where =
    tenants.length > 0
      ? ["--tenants", join(home, "tenants"), "--tenant-from", "header:x-tenant"]
      : ["--db", database];
  const limits = LIMITS[name].flatMap((limit) => ["--limit", limit]);
  const threads = String(Math.max(4, availableParallelism()));
  const server = new Server(
    program,
    [join(home, "app.ts"), ...where, ...limits, "--threads", threads, "--log", "json"],
    { port: await freePort(), adminPort: await freePort() },
  );
  const target = new Target({ name, server, random, tenants });
  return { name, home, fileOf, server, target };
}

/** Starts requests of a mix at the chosen rate until `isOver()`. */
async function drive(target, mix, isOver) {
  const journals = target.journals.slice(target.hasTenants ? LOOPING + 1 : 0);
  const begin = performance.now();
  for (let made = 0; !isOver(); await sleep(TICK_TIME)) {
    const due = Math.floor(((performance.now() - begin) / 1000) * rate);
    for (; made < due; ++made) {
      if (target.inFlight >= IN_FLIGHT_MAX) {
        ++target.skipped;
        continue;
      }
      const [kind, , work] = pick(mix, target.random());
      const journal = journals[target.below(journals.length)];
      void target.perform(kind, work, journal);
    }
  }
}

async function loopAllTheTime(target, isOver) {
  for (let round = 0; !isOver(); ++round) {
    const work = LOOPS[round % LOOPS.length];
    await target.perform("the tenant that loops", work, target.journals[LOOPING]);
  }
}

/** Reloads the app again and again: two versions that can be built, and one that cannot. */
async function reloadAllTheTime({ home, server, target }, isOver) {
  let version = 0;
  for (let round = 1; !isOver(); ++round) {
    await sleep(RELOAD_EVERY);
    if (isOver()) return;
    const isBroken = round % 3 === 0;
    writeApp(home, isBroken ? `${BROKEN}${round}` : ++version);
    target.versions[1] = version;
    const happened = isBroken
      ? server.listenFor(`${BROKEN}${round}`)
      : async () => (await versionOf(target)) === version;
    server.signal("SIGHUP");
    if (!(await within(RELOADED_TIME_MAX, happened)))
      target.violate(
        "reload",
        isBroken
          ? "the log does not tell of a version that cannot be built"
          : `version ${version} is not there after ${RELOADED_TIME_MAX} ms`,
      );
    // Requests that came before are still answered by the one before.
    await sleep(500);
    if (!isBroken) target.versions[0] = version;
    target.reloads = round;
  }
}

/** The version that answers; undefined when nothing does. */
async function versionOf(target) {
  let version;
  await target.perform("version after a reload", async () => {
    const answer = await target.ask(target.journals.at(-1), { path: "/version" }, 200);
    if (answer) ({ version } = JSON.parse(answer.body.toString()));
  });
  return version;
}

/** Whether it came to be true in time. */
async function within(milliseconds, isSo) {
  const end = Date.now() + milliseconds;
  for (;;) {
    if (await isSo()) return true;
    if (Date.now() > end) return false;
    await sleep(50);
  }
}

/** Figures of the process every second, once it is warm. */
async function sample(server, isOver) {
  const samples = [];
  await sleep(warmUp * 1000);
  for (let round = 0; !isOver(); ++round) {
    samples.push(server.figures({ withProportional: seconds < 120 || round % 10 === 0 }));
    await sleep(1000);
  }
  return samples;
}

/** The medians of the three thirds of what was sampled. */
function thirds(samples, figure) {
  const values = samples.map((each) => each[figure]).filter((value) => value !== undefined);
  const third = Math.floor(values.length / 3);
  if (third === 0) return [0, 0, 0];
  return [0, 1, 2].map((part) =>
    Number(median(values.slice(part * third, (part + 1) * third)).toFixed(1)),
  );
}

function checkGrowth(target, samples) {
  const growth = {};
  for (const figure of ["resident", "proportional", "files", "threads"]) {
    const [first, middle, last] = (growth[figure] = thirds(samples, figure));
    const least = ["files", "threads"].includes(figure) ? FILES_GROWTH_MAX : growthMax.megabytes;
    const allowed = Math.max(least, first * growthMax.part);
    if (last - first > allowed)
      target.violate("growth", `${figure}: ${first}, ${middle}, ${last} in the thirds of the run`);
  }
  return growth;
}

const CLASSES = ["2xx", "4xx", "5xx"];

/** What the server counts is what the driver got, and at most what was cut off besides. */
async function checkMetrics({ server, target }) {
  let metrics = new Map();
  let sum = 0;
  // A request is counted after its answer has been sent.
  await within(2_000, async () => {
    metrics = await server.metrics();
    const all = [...metrics].filter(([name]) => name.startsWith("requests_total{"));
    sum = all.reduce((total, [, value]) => total + value, 0);
    return sum >= target.answeredCount;
  });
  const counted = (status) => metrics.get(`requests_total{status="${status}"}`) ?? 0;
  const between = (what, value, least, most) => {
    if (value < least || value > most)
      target.violate("metrics", `${what} is ${value}, which should be ${least} to ${most}`);
  };
  const spare = target.cutOff + target.malformedAnswered;
  between("requests_total", sum, target.answeredCount, target.answeredCount + spare);
  for (const status of CLASSES)
    between(status, counted(status), target.answered[status], target.answered[status] + spare);
  between(
    "request_duration_seconds_count",
    metrics.get("request_duration_seconds_count"),
    sum,
    sum,
  );
  between("requests_running", metrics.get("requests_running"), 0, 0);
  between("requests_queued", metrics.get("requests_queued"), 0, 0);
  const dropped = metrics.get("log_lines_dropped_total") ?? 0;
  await within(2_000, () => server.loggedRequests >= sum - dropped);
  between("lines of the log about requests", server.loggedRequests, sum - dropped, sum);
  return Object.fromEntries([...metrics].filter(([name]) => !name.includes("_bucket")));
}

/** Nothing is asked for any more; waits until nothing is under way. */
async function drain({ server, target }) {
  const isDone = async () => {
    if (target.inFlight > 0) return false;
    const metrics = await server.metrics();
    return metrics.get("requests_running") === 0 && metrics.get("requests_queued") === 0;
  };
  if (!(await within(DRAINED_TIME_MAX, isDone)))
    target.violate(
      "drain",
      `${target.inFlight} requests are under way after ${DRAINED_TIME_MAX} ms`,
    );
}

/** SIGTERM while requests are under way: they are answered, and then the process ends with 0. */
async function endInPeace({ server, target }) {
  const journal = target.journals.at(-1);
  const sleepers = Array.from({ length: 8 }, () =>
    target.perform(
      "sleeps when the server ends",
      () => target.ask(journal, { path: "/sleep/400" }, 200),
      journal,
    ),
  );
  await sleep(150);
  server.signal("SIGTERM");
  await Promise.all(sleepers);
  const status = await server.ended(ENDED_TIME_MAX);
  if (status !== 0) target.violate("end", `SIGTERM ends the server with ${status}, not 0`);
  await server.kill();
}

/** What is in the databases, held against what was acknowledged. */
function checkDatabases({ home, fileOf, target }, journals = target.journals) {
  for (const journal of journals) {
    const database = target.hasTenants ? fileOf(journal.name) : fileOf();
    const found = JSON.parse(
      output(program, [
        ..."run --time-limit 10m".split(" "),
        join(home, "check.ts"),
        "--db",
        database,
        "--",
        journal.name,
      ]),
    );
    for (const fault of journal.faults(found)) target.violate("database", fault);
  }
}

function summary({ name, target }, more) {
  const count = (fate) => target.journals.reduce((sum, journal) => sum + journal.count(fate), 0);
  return {
    server: name,
    answered: target.answered,
    refused: target.refused,
    cutOff: target.cutOff,
    malformedAnswered: target.malformedAnswered,
    skipped: target.skipped,
    reloads: target.reloads ?? 0,
    writes: {
      acknowledged: count(Fate.Acknowledged),
      rolledBack: count(Fate.Absent),
      unknown: count(Fate.Unknown),
    },
    milliseconds: Object.fromEntries(
      [...target.durations].map(([kind, durations]) => [kind, durations.summary()]),
    ),
    violationCount: target.violationCount,
    violations: target.violations,
    ...more,
  };
}

function checkRefusals(target) {
  if (target.refused > target.answeredCount * REFUSED_PART_MAX)
    target.violate("busy", `${target.refused} of ${target.answeredCount} requests were refused`);
}

function checkNeighbours(target) {
  const { p99 } = target.durations.get("read").summary();
  if (p99 > NEIGHBOUR_P99_MAX)
    target.violate(
      "neighbours",
      `99 of 100 reads take up to ${p99} ms beside a tenant that loops; at most ${NEIGHBOUR_P99_MAX} ms are meant`,
    );
}

/** Opens every tenant's database once, so that it is open when figures are taken. */
async function openAll(target) {
  for (const journal of target.journals)
    await target.perform(
      "first read of a database",
      () => target.ask(journal, { path: "/totals" }, 200),
      journal,
    );
}

async function underLoad(side, isOver) {
  const { name, server, target } = side;
  await openAll(target);
  const [samples] = await Promise.all([
    sample(server, isOver),
    drive(target, MIXES[name], isOver),
    reloadAllTheTime(side, isOver),
    target.hasTenants ? loopAllTheTime(target, isOver) : undefined,
  ]);
  return samples;
}

async function mixed(sides) {
  for (const { server } of sides) await server.start();
  const before = process.cpuUsage();
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  const begin = performance.now();
  const isOver = () => performance.now() - begin > seconds * 1000;
  const samples = await Promise.all(sides.map((side) => underLoad(side, isOver)));
  const wall = performance.now() - begin;
  const used = process.cpuUsage(before);
  delays.disable();

  const results = [];
  for (const [index, side] of sides.entries()) {
    const { server, target } = side;
    await drain(side);
    const metrics = await checkMetrics(side);
    checkRefusals(target);
    if (target.hasTenants) checkNeighbours(target);
    const growth = checkGrowth(target, samples[index]);
    const processor = server.processorSeconds();
    await endInPeace(side);
    target.client.close();
    checkDatabases(side);
    results.push(
      summary(side, { growth, samples: samples[index], processorSeconds: processor, metrics }),
    );
  }
  const driver = {
    processorPart: Number(((used.user + used.system) / 1000 / wall).toFixed(3)),
    delayP99: Number((delays.percentile(99) / 1e6).toFixed(1)),
  };
  return { driver, sides: results };
}

/** Load, SIGKILL, and the same again, until the time is over; what was acknowledged is looked for each time. */
async function killAgainAndAgain(side, isOver) {
  const { server, target } = side;
  let rounds = 0;
  for (; !isOver(); ++rounds) {
    await server.start();
    target.mayCutOff = false;
    const end = performance.now() + 300 + target.random() * 1_500;
    const driving = drive(target, MIXES.killed, () => performance.now() > end);
    await sleep(Math.max(0, end - performance.now() - 50));
    target.mayCutOff = true;
    await server.kill();
    await driving;
    await within(DRAINED_TIME_MAX, () => target.inFlight === 0);
    target.client.close();
    checkDatabases(side, [target.journals[target.below(target.journals.length)]]);
  }
  // In peace once, so that a server that was killed is known to have come back whole.
  target.mayCutOff = false;
  await server.start();
  await endInPeace(side);
  target.client.close();
  checkDatabases(side);
  return summary(side, { rounds });
}

async function killed(sides) {
  const begin = performance.now();
  const isOver = () => performance.now() - begin > seconds * 1000;
  return { sides: await Promise.all(sides.map((side) => killAgainAndAgain(side, isOver))) };
}

const RUNS = { mixed, killed };

function printSide({ server, ...side }) {
  const sum = Object.values(side.answered).reduce((total, count) => total + count, 0);
  console.log(
    `  ${server}: ${sum} answers, ${side.refused} refused, ${side.cutOff} cut off, ${side.skipped} skipped`,
  );
  const { acknowledged, rolledBack, unknown } = side.writes;
  console.log(
    `    writes: ${acknowledged} acknowledged, ${rolledBack} rolled back or refused, ${unknown} without an answer`,
  );
  if (side.rounds) console.log(`    killed ${side.rounds} times`);
  if (side.growth) {
    console.log(`    reloads: ${side.reloads}; processor time: ${side.processorSeconds} s`);
    for (const [figure, [first, middle, last]] of Object.entries(side.growth))
      console.log(`    ${figure.padEnd(14)} ${first}, ${middle}, ${last} (medians of the thirds)`);
  }
  for (const [kind, { count, p50, p99, max }] of Object.entries(side.milliseconds))
    console.log(
      `    ${kind.padEnd(30)} ${String(count).padStart(8)}  p50 ${p50.toFixed(1).padStart(8)} ms  p99 ${p99.toFixed(1).padStart(8)} ms  max ${max.toFixed(1).padStart(8)} ms`,
    );
  for (const violation of side.violations) console.log(`    VIOLATION ${violation}`);
  if (side.violationCount > side.violations.length)
    console.log(`    and ${side.violationCount - side.violations.length} more`);
}

async function perform(name) {
  console.log(
    `\n${name}: ${seconds} s, ${rate} requests/s of each server, seed ${seed} (--seed), ${cpus().length} cores`,
  );
  const folder = mkdtempSync(join(tmpdir(), "load-"));
  const sides = [];
  let isKept = false;
  try {
    for (const [index, side] of ["single", "tenants"].entries())
      sides.push(await prepare(folder, side, randomFrom(seed + index)));
    const result = await RUNS[name](sides);
    if (result.driver)
      console.log(
        `  the driver: ${(result.driver.processorPart * 100).toFixed(0)} % of a core, late by at most ${result.driver.delayP99} ms (p99)`,
      );
    result.sides.forEach(printSide);
    isKept = result.sides.some(({ violationCount }) => violationCount > 0);
    if (isKept) {
      for (const { name: side, server } of sides)
        console.log(`  what ${side} said last:\n${(server.log + server.said).slice(-3000)}`);
      console.log(`  the databases are left in ${folder}`);
    }
    return { name, seconds, rate, seed, ...result };
  } finally {
    for (const { server } of sides) await server.kill();
    if (!isKept) rmSync(folder, { recursive: true, force: true });
  }
}

const names = positionals.length > 0 ? positionals : Object.keys(RUNS);
for (const name of names) {
  if (!RUNS[name]) throw new Error(`there is no run '${name}': ${Object.keys(RUNS).join(", ")}`);
}
const results = [];
for (const name of names) results.push(await perform(name));
if (options.report) writeFileSync(options.report, JSON.stringify(results, null, 2) + "\n");
const violationCount = results
  .flatMap(({ sides }) => sides)
  .reduce((sum, side) => sum + side.violationCount, 0);
console.log(violationCount === 0 ? "\nAll holds." : `\n${violationCount} violations.`);
process.exitCode = violationCount === 0 ? 0 : 1;
