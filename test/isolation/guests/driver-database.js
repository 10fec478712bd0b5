// A database object of the module, and its methods.
import { sql } from "drizzle-orm";
import { database } from "schemascript";
const db = database({});
const { all } = db;
export const first = (secret) => {
  db.left = secret;
  db.all = () => [{ secret }];
};
export const second = async () =>
  [db.left, db.all === all ? undefined : "all", ...(await db.all(sql`select 1 where 0`))].filter(
    (found) => found !== undefined,
  );
