// The other side of 10,000 rows: Node, better-sqlite3, and drizzle-orm's sqlite-proxy with a callback that takes and answers JSON, all in
// one process. Prints its figures as JSON.
//     node node.mjs FOLDER-OF-PACKAGES FILE ROUNDS
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inTurns } from "./measure.mjs";

const [folder, file, rounds] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const Database = require("better-sqlite3");
const { asc, gt, sql } = await load("drizzle-orm");
const { drizzle } = await load("drizzle-orm/sqlite-proxy");
const { integer, sqliteTable, text } = await load("drizzle-orm/sqlite-core");

const sqlite = new Database(file);
sqlite.pragma("journal_mode = WAL");
sqlite.pragma("synchronous = NORMAL");

const statements = new Map();
function host(request) {
  const { sql: query, params } = JSON.parse(request);
  let statement = statements.get(query);
  if (!statement) statements.set(query, (statement = sqlite.prepare(query).raw(true)));
  return JSON.stringify({ rows: statement.all(...params) });
}

const users = sqliteTable("users", {
  id: integer().primaryKey(),
  name: text().notNull(),
  email: text().notNull(),
  createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
});
const db = drizzle(async (query, params, method) =>
  JSON.parse(host(JSON.stringify({ sql: query, params, method }))),
);
const query = db
  .select()
  .from(users)
  .where(gt(users.id, sql.placeholder("after")))
  .orderBy(asc(users.id))
  .limit(10_000)
  .prepare();

const figures = await inTurns(
  {
    proxy: async () => {
      const rows = await query.all({ after: 10_000 });
      if (rows.length !== 10_000 || rows[9_999].createdAt.getTime() !== 1_700_020_000_000)
        throw new Error("these are other rows");
    },
  },
  { rounds: Number(rounds), repeat: 1 },
);
console.log(JSON.stringify(figures));
