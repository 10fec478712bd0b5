// bun bun.mjs raw|drizzle ROLE [ARGUMENT], with bun:sqlite.
import { Database } from "bun:sqlite";
import { database, firstRowOf, lines, PRAGMAS, rawOver, transactionOver } from "./common.mjs";
import { play } from "../roles.mjs";

const [mode, ...words] = Bun.isMainThread ? process.argv.slice(2) : ["drizzle", "tenant"];

async function open() {
  const sqlite = new Database(database());
  for (const pragma of PRAGMAS) sqlite.exec(`pragma ${pragma}`);
  const runtime = { now: () => performance.now() };
  if (mode === "raw") {
    runtime.raw = rawOver((sql) => sqlite.prepare(sql));
    runtime.integers = {
      "as it comes": (sql) => sqlite.prepare(sql).get().value,
      "if asked for": (sql) =>
        new Database(database(), { safeIntegers: true }).prepare(sql).get().value,
    };
  } else {
    const { drizzle } = await import("drizzle-orm/bun-sqlite");
    runtime.db = drizzle(sqlite);
  }
  runtime.transaction = transactionOver((sql) => sqlite.exec(sql), runtime.db);
  return runtime;
}

await play(words, {
  open,
  lines,
  newSandbox: () => firstRowOf(new Worker(new URL(import.meta.url).href)),
  serve: (port, answer) =>
    Bun.serve({
      port,
      hostname: "127.0.0.1",
      fetch: (request) => Response.json(answer(new URL(request.url).pathname)),
    }),
  print: (text) => process.stdout.write(`${text}\n`),
  collect: () => Bun.gc(true),
  post: (row) => {
    globalThis.onmessage = () => {}; // So that the thread stays.
    postMessage(JSON.stringify(row));
  },
});
if (["memory", "sandboxes"].includes(words[0])) process.exit(0);
