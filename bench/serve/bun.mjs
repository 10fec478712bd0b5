// Bun's side: Bun.serve, bun:sqlite and Drizzle.
//     bun bun.mjs PORT FILE
import { Database } from "bun:sqlite";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { userByPath } from "./queries.mjs";

const [port, file] = process.argv.slice(2);
const sqlite = new Database(file);
sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
const find = userByPath(drizzle(sqlite));
Bun.serve({
  port: Number(port),
  hostname: "127.0.0.1",
  fetch(request) {
    const user = find(new URL(request.url).pathname);
    return user ? Response.json(user) : new Response("no such user", { status: 404 });
  },
});
