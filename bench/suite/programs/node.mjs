// node node.mjs raw|drizzle|proxy ROLE [ARGUMENT], with better-sqlite3. `proxy`: Drizzle's sqlite-proxy, over JSON within the process.
import { createServer } from "node:http";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { database, lines, PRAGMAS, rawOver, transactionOver } from "./common.mjs";
import { play } from "../roles.mjs";

const [mode, ...words] = isMainThread ? process.argv.slice(2) : workerData;

async function open() {
  const sqlite = new Database(database());
  for (const pragma of PRAGMAS) sqlite.pragma(pragma);
  const runtime = { now: () => performance.now(), async: mode === "proxy" };
  if (mode === "raw") {
    runtime.raw = rawOver((sql) => sqlite.prepare(sql));
    runtime.integers = {
      "as it comes": (sql) => sqlite.prepare(sql).get().value,
      "if asked for": (sql) => sqlite.prepare(sql).safeIntegers(true).get().value,
    };
  } else if (mode === "drizzle") {
    const { drizzle } = await import("drizzle-orm/better-sqlite3");
    runtime.db = drizzle(sqlite);
  } else {
    const { jsonHost, overJson } = await import("./json-bridge.mjs");
    runtime.db = overJson(jsonHost(sqlite));
  }
  runtime.transaction = transactionOver((sql) => sqlite.exec(sql), runtime.db);
  return runtime;
}

async function newSandbox() {
  const worker = new Worker(new URL(import.meta.url), { workerData: [mode, "tenant"] });
  const row = await new Promise((done, fail) => {
    worker.once("message", done);
    worker.once("error", fail);
  });
  return { row, end: () => worker.terminate() };
}

function serve(port, answer) {
  createServer(async (request, response) => {
    const body = JSON.stringify(await answer(request.url));
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  }).listen(port, "127.0.0.1");
}

await play(words, {
  open,
  newSandbox,
  serve,
  lines,
  print: (text) => process.stdout.write(`${text}\n`),
  collect: () => globalThis.gc?.(),
  post: (row) => {
    parentPort.on("message", () => {}); // So that the thread stays.
    parentPort.postMessage(row);
  },
});
if (words[0] === "memory") process.exit(0);
