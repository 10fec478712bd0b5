// Node's side: its own http server, better-sqlite3 and Drizzle.
//     node node.mjs PORT FILE PROCESSES
// With more than one process, node:cluster hands the connections out to them.
import cluster from "node:cluster";
import { createServer } from "node:http";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { userByPath } from "./queries.mjs";

const [port, file, processes] = process.argv.slice(2);

function serve() {
  const sqlite = new Database(file);
  sqlite.pragma("journal_mode = WAL");
  sqlite.pragma("synchronous = NORMAL");
  const find = userByPath(drizzle(sqlite));
  createServer((request, response) => {
    const user = find(request.url);
    const body = user ? JSON.stringify(user) : "no such user";
    response.writeHead(user ? 200 : 404, {
      "content-type": user ? "application/json" : "text/plain",
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  }).listen(Number(port), "127.0.0.1");
}

if (cluster.isPrimary && Number(processes) > 1) {
  for (let count = 0; count < Number(processes); ++count) cluster.fork();
} else {
  serve();
}
