// Processes that are measured: started, asked, and always ended.
import { spawn } from "node:child_process";
import { closeSync, copyFileSync, fsyncSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Whatever does not end by itself. */
export const TIME_MAX = 120_000;
const STARTED_TIME_MAX = 20_000;

const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** @param {string[]} command */
export function start([program, ...words], { database, input = "ignore" } = {}) {
  const child = spawn(program, words.map(String), {
    stdio: [input, "pipe", "pipe"],
    env: {
      ...process.env,
      BENCH_DATABASE: database,
      NODE_NO_WARNINGS: "1",
      NO_COLOR: "1",
      DENO_NO_UPDATE_CHECK: "1",
    },
  });
  running.add(child);
  child.said = "";
  child.complained = "";
  child.stdout.on("data", (data) => {
    child.firstAt ??= performance.now();
    child.said += data;
  });
  child.stderr.on("data", (data) => (child.complained += data));
  child.on("error", (error) => (child.complained += error.message));
  child.ended = new Promise((done) =>
    child.on("close", (status, signal) => {
      running.delete(child);
      done(status ?? signal ?? "no such program");
    }),
  );
  return child;
}

export async function stop(child) {
  child.kill("SIGKILL");
  await child.ended;
}

/** What it prints until it ends. Throws unless it ends well and in time. */
export async function run(command, options) {
  const begin = performance.now();
  const child = start(command, options);
  const timer = setTimeout(() => child.kill("SIGKILL"), TIME_MAX);
  const status = await child.ended;
  clearTimeout(timer);
  if (status === 0) {
    return { said: child.said, toFirst: child.firstAt - begin, toEnd: performance.now() - begin };
  }
  const lines = child.complained.trim().split("\n");
  // From the error on: Bun shows the source before it says what happened.
  const at = Math.max(
    0,
    lines.findIndex((line) => /error/i.test(line)),
  );
  const why = lines.slice(at).join("\n").slice(0, 800);
  throw new Error(`it ended with ${status}${why ? `: ${why}` : ""}`);
}

/** The figures in what a contender printed: `[name, figure]`. */
export function figuresIn(text) {
  const figures = text
    .split("\n")
    .filter((line) => line.startsWith("@@ "))
    .map((line) => JSON.parse(line.slice(3)))
    .map(({ name, figure }) => [name, figure]);
  if (figures.length === 0) throw new Error("it printed no figures");
  return figures;
}

export const freePort = () =>
  new Promise((done, fail) => {
    const server = createServer();
    server.on("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

export async function get(port, path) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    signal: AbortSignal.timeout(TIME_MAX),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`${path} was answered with ${response.status}: ${text.slice(0, 200)}`);
  return text;
}

/** The first answer of a server that has just been started. */
export async function firstAnswer(child, port, path) {
  const until = performance.now() + STARTED_TIME_MAX;
  let hasEnded = false;
  child.ended.then(() => (hasEnded = true));
  for (;;) {
    try {
      return await get(port, path);
    } catch (error) {
      if (hasEnded) throw new Error(`the server ended: ${child.complained.trim().slice(-300)}`);
      if (performance.now() > until || error.name !== "TypeError") throw error;
      await sleep(1);
    }
  }
}

/** Megabytes: of memory that is shared, this process's part. */
export function proportionalMemory(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)[1]) / 1024;
}

/** Of its threads so far, in microseconds. 100 ticks a second, on every Linux that Node runs on. */
export function processorTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** A copy that is on the disk, so that its writing is not timed with what comes next. */
export function copyDatabase(from, to) {
  for (const end of ["", "-wal", "-shm"]) rmSync(to + end, { force: true });
  copyFileSync(from, to);
  const file = openSync(to, "r+");
  fsyncSync(file);
  closeSync(file);
}
