#!/usr/bin/env node
// `GET /users/:id`, answered as JSON through Drizzle: `schemascript serve` with a fresh guest for each request, against servers whose
// code runs unconfined.
//
//     node bench/serve.mjs [--build FOLDER] [--rounds N] [--seconds N] [--only TEXT] [--json FILE]
//
// All servers run throughout; wrk (64 connections that stay open, on the loopback) asks one after the other in each round. Printed are
// medians over the rounds, and the median of the ratios within a round. Needs wrk and, for the other sides, the packages of
// packages/schemascript/test/compat (`make test PART=compat` installs them) and of bench/serve (`npm install --no-save --ignore-scripts --prefix bench/serve`).
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { cpus } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  atLeast,
  atMost,
  inFolder,
  median,
  medianRatio,
  output,
  printBound,
  printMachine,
} from "./harness.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    build: { type: "string", default: join(here, "../build") },
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "4" },
    // Only the servers whose name has this in it, and what they are compared with.
    only: { type: "string", default: "" },
    // All figures, for other programs.
    json: { type: "string" },
    "node-packages": {
      type: "string",
      default: join(here, "../packages/schemascript/test/compat"),
    },
    "other-packages": { type: "string", default: join(here, "serve") },
  },
});
const program = join(resolve(options.build), "bin/schemascript");
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const cores = cpus().length;
const CONNECTIONS = 64;
const STARTED_TIME_MAX = 20_000;
// 100 a second, on every Linux that Node runs on.
const TICK_MICROS = 10_000;

const PREPARED = "/users/";
const BUILT = "/built/";

/**
 * A server that is there. `pids` are its processes.
 * @typedef {{ name: string, port: number, pids: () => number[], stop: () => Promise<void> }} Server
 */

/** What is found below a folder of packages; undefined where it is not installed. */
function tryFind(folder, path) {
  const file = join(resolve(folder), "node_modules", path);
  return existsSync(file) ? file : undefined;
}

const betterSqlite = tryFind(options["node-packages"], "better-sqlite3");
const bun = tryFind(options["other-packages"], "@oven/bun-linux-x64/bin/bun");
const workerd = tryFind(options["other-packages"], "@cloudflare/workerd-linux-64/bin/workerd");

/** One file of a server with all that it imports. */
function bundle(folder, name) {
  const file = join(folder, `${name}.bundle.mjs`);
  output([
    join(here, "../node_modules/.bin/esbuild"),
    join(here, "serve", `${name}.mjs`),
    "--bundle",
    "--format=esm",
    "--platform=node",
    "--external:better-sqlite3",
    "--external:bun:*",
    "--external:cloudflare:*",
    "--log-level=warning",
    `--outfile=${file}`,
  ]);
  return file;
}

function workerdConfiguration(folder, port) {
  const file = join(folder, "workerd.capnp");
  mkdirSync(join(folder, "objects"));
  writeFileSync(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "disk", disk = (path = "${join(folder, "objects")}", writable = true))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2025-06-01",
  compatibilityFlags = ["nodejs_compat"],
  modules = [(name = "worker.mjs", esModule = embed "workerd.bundle.mjs")],
  durableObjectNamespaces = [(className = "Store", uniqueKey = "bench", enableSql = true, preventEviction = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "STORE", durableObjectNamespace = "Store")],
);
`,
  );
  return file;
}

const schemascript = (isolation, threads, ...more) => ({
  command: ({ port, database }) => [
    program,
    "serve",
    join(here, "serve/app.ts"),
    "--db",
    database,
    "--port",
    String(port),
    "--isolation",
    isolation,
    "--threads",
    String(threads),
    ...(more.length > 0 ? more : ["--log", "off"]),
  ],
});
const node = (processes) => ({
  needs: betterSqlite,
  command: ({ port, database, folder }) => [
    process.execPath,
    bundle(folder, "node"),
    String(port),
    database,
    String(processes),
  ],
});

const OURS = "SchemaScript, fresh guest per request";
const NODE = "Node, one process";
const CLUSTER = `Node, cluster of ${cores}`;

const SERVERS = {
  [OURS]: schemascript("request", cores),
  [NODE]: node(1),
  [CLUSTER]: node(cores),
  "SchemaScript, the same, one thread": schemascript("request", 1),
  "SchemaScript, the same, with its log": schemascript("request", cores, "--log", "json"),
  "SchemaScript, guests that keep state": schemascript("worker", cores),
  Bun: {
    needs: bun,
    command: ({ port, database, folder }) => [bun, bundle(folder, "bun"), String(port), database],
  },
  "workerd, Durable Object": {
    needs: workerd,
    command: ({ port, folder }) => {
      bundle(folder, "workerd");
      return [workerd, "serve", workerdConfiguration(folder, port)];
    },
  },
};

/** A port that nobody listens at. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

const expected = (id) => ({
  id,
  name: `name ${String(id).padStart(7, "0")}`,
  email: `user-${String(id).padStart(7, "0")}@example.com`,
  createdAt: new Date(1_700_000_000_000 + id * 1000).toISOString(),
});

/** Throws unless the server answers as it should: the first user, the last one, some between, and none. */
async function checkAnswers({ name, port }) {
  for (const path of [PREPARED, BUILT]) {
    for (const id of [1, 2, 777, 31_337, 99_999, 100_000]) {
      const response = await fetch(`http://127.0.0.1:${port}${path}${id}`);
      const user = await response.json();
      if (response.status !== 200 || JSON.stringify(user) !== JSON.stringify(expected(id)))
        throw new Error(`${name} answers ${response.status} ${JSON.stringify(user)}`);
    }
    const response = await fetch(`http://127.0.0.1:${port}${path}100001`);
    await response.text();
    if (response.status !== 404) throw new Error(`${name} finds a user that there is not`);
  }
}

/** A process and all that it has started. */
function family(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}

/** Starts one and waits for its first answer. @returns {Promise<Server>} */
async function start(name, { command }, { database, folder }) {
  const port = await freePort();
  const [file, ...words] = command({ port, database, folder });
  let said = "";
  const child = spawn(file, words, { stdio: ["ignore", "ignore", "pipe"] });
  child.stderr.on("data", (chunk) => (said = (said + chunk).slice(-4096)));
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.once("error", (error) => (said += error));
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(timer);
  };
  const begin = Date.now();
  for (;;) {
    try {
      await (await fetch(`http://127.0.0.1:${port}${PREPARED}1`)).text();
      break;
    } catch {
      if (child.exitCode === null && Date.now() - begin < STARTED_TIME_MAX) {
        await sleep(50);
        continue;
      }
      await stop();
      throw new Error(`${name} did not start: ${said}`);
    }
  }
  const server = { name, port, pids: () => family(child.pid), stop };
  await checkAnswers(server);
  return server;
}

/** Processor time of processes so far, of user and kernel, in microseconds: fields 14 and 15 of proc(5)'s stat. */
function processorMicros(pids) {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, count) => sum + count, 0) * TICK_MICROS;
}

/** Resident memory of processes in MB; what they share counts in each. */
function residentMegabytes(pids) {
  const sizes = pids.map((pid) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]),
  );
  return sizes.reduce((sum, kilobytes) => sum + kilobytes, 0) / 1024;
}

/** What a command prints, while this process goes on: connections that a server closes meanwhile are not used again. */
async function printed([file, ...words]) {
  const child = spawn(file, words, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${file} ${words.join(" ")} failed with ${status}: ${text}`);
  return text;
}

/** One turn. Throws when there was any error. */
async function measure({ name, port, pids }, path, duration) {
  const command = [
    "wrk",
    "-t1",
    `-c${CONNECTIONS}`,
    `-d${duration}s`,
    "-s",
    join(here, "serve/users.lua"),
    `http://127.0.0.1:${port}/`,
    "--",
    path,
  ];
  const processes = pids();
  const before = processorMicros(processes);
  const text = await printed(command);
  const used = processorMicros(processes) - before;
  const { requests, micros, p50, p99, errors } = JSON.parse(/^@@(.*)$/m.exec(text)[1]);
  if (errors > 0 || requests === 0)
    throw new Error(`${name}: ${errors} errors in ${requests} requests\n${text}`);
  return {
    perSecond: requests / (micros / 1e6),
    p50,
    p99,
    processor: used / requests,
    resident: residentMegabytes(processes),
  };
}

/** All turns of one path: by server, by figure, a list with one number a round. */
async function inTurns(servers, path) {
  const figures = Object.fromEntries(servers.map(({ name }) => [name, {}]));
  for (let round = -1; round < rounds; ++round) {
    for (const server of servers) {
      const turn = await measure(server, path, round < 0 ? 1 : seconds);
      if (round < 0) continue; // Caches are filled, and code is compiled.
      for (const [figure, value] of Object.entries(turn))
        (figures[server.name][figure] ??= []).push(value);
    }
  }
  return figures;
}

const COLUMNS = [
  ["requests/s", "perSecond", 0],
  ["p50 ms", "p50", 2, 1000],
  ["p99 ms", "p99", 2, 1000],
  ["processor us", "processor", 1],
  ["resident MB", "resident", 0],
];

function printTable(title, figures) {
  console.log(`\n${title}`);
  console.log(" ".repeat(42) + COLUMNS.map(([head]) => head.padStart(13)).join(""));
  for (const [name, side] of Object.entries(figures)) {
    const cells = COLUMNS.map(([, figure, digits, unit = 1]) =>
      (median(side[figure]) / unit).toFixed(digits).padStart(13),
    );
    console.log(`  ${name.padEnd(40)}${cells.join("")}`);
  }
}

/** How `one` stands to `other`, and whether that is what is promised. */
function printRatios(figures, one, other) {
  if (!figures[one] || !figures[other]) return;
  console.log(`  ${one} / ${other}`);
  const ratio = (figure) => medianRatio(figures[one][figure], figures[other][figure]);
  printBound(atLeast("  requests/s", ratio("perSecond"), 1.5));
  printBound(atMost("  p99", ratio("p99"), 1));
  console.log(`    processor time of a request ${ratio("processor").toFixed(3).padStart(26)}`);
}

function isWanted([name, server]) {
  if ("needs" in server && server.needs === undefined) {
    console.log(`${name}: left out, its packages are not installed`);
    return false;
  }
  return [OURS, NODE].includes(name) || name.includes(options.only);
}

await inFolder("serve", async (folder) => {
  printMachine();
  console.log(`wrk: 1 thread, ${CONNECTIONS} connections; ${rounds} rounds of ${seconds} s`);
  const database = join(folder, "users.db");
  output([program, "run", join(here, "serve/seed.ts"), "--db", database, "--push"]);
  // Where the bundles find what cannot be in them.
  mkdirSync(join(folder, "node_modules"));
  if (betterSqlite) symlinkSync(betterSqlite, join(folder, "node_modules/better-sqlite3"));
  const servers = [];
  const all = {};
  try {
    for (const [name, server] of Object.entries(SERVERS).filter(isWanted))
      servers.push(await start(name, server, { database, folder }));
    for (const [title, path] of [
      ["A prepared query", PREPARED],
      ["The same query, built anew for each request", BUILT],
    ]) {
      const figures = (all[path] = await inTurns(servers, path));
      printTable(title, figures);
      for (const other of [NODE, CLUSTER]) printRatios(figures, OURS, other);
      printRatios(figures, "SchemaScript, the same, one thread", NODE);
    }
    for (const server of servers) await checkAnswers(server);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  if (options.json) writeFileSync(options.json, JSON.stringify(all, null, 2) + "\n");
});
