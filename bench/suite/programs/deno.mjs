// deno run -A deno.mjs raw|drizzle ROLE [ARGUMENT], with node:sqlite, for which Drizzle has no driver but its proxy.
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { firstRowOf, lines, PRAGMAS, proxied, rawOver, transactionOver } from "./common.mjs";
import { play } from "../roles.mjs";

const isThread = "DedicatedWorkerGlobalScope" in globalThis;
const [mode, ...words] = isThread ? ["drizzle", "tenant"] : process.argv.slice(2);

async function open() {
  const sqlite = new DatabaseSync(process.env.BENCH_DATABASE);
  for (const pragma of PRAGMAS) sqlite.exec(`pragma ${pragma}`);
  const runtime = { now: () => performance.now(), async: mode !== "raw" };
  if (mode === "raw") {
    runtime.raw = rawOver((sql) => sqlite.prepare(sql));
    runtime.integers = {
      "as it comes": (sql) => sqlite.prepare(sql).get().value,
      "if asked for": (sql) => {
        const statement = sqlite.prepare(sql);
        statement.setReadBigInts(true);
        return statement.get().value;
      },
    };
  } else {
    const { drizzle } = await import("drizzle-orm/sqlite-proxy");
    runtime.db = proxied(drizzle, (sql) => {
      const statement = sqlite.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    });
  }
  runtime.transaction = transactionOver((sql) => sqlite.exec(sql), runtime.db);
  return runtime;
}

await play(words, {
  open,
  lines,
  newSandbox: () => firstRowOf(new Worker(new URL(import.meta.url).href, { type: "module" })),
  serve: (port, answer) =>
    Deno.serve({ port, hostname: "127.0.0.1", onListen() {} }, async (request) =>
      Response.json(await answer(new URL(request.url).pathname)),
    ),
  print: (text) => console.log(text),
  post: (row) => {
    globalThis.onmessage = () => {}; // So that the thread stays.
    postMessage(JSON.stringify(row));
  },
});
if (["memory", "sandboxes"].includes(words[0])) process.exit(0);
