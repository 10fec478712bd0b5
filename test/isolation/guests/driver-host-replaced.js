// The host's end of the driver.
import { sql } from "drizzle-orm";
import { database } from "schemascript";
const db = database({});
const { all } = __host_sqlite;
export const first = (secret) => {
  __host_sqlite.all = () => [secret];
  __host_sqlite.left = secret;
};
export const second = async () =>
  [
    ...(await db.all(sql`select 1 where 0`)),
    __host_sqlite.left,
    __host_sqlite.all === all ? undefined : "all",
  ].filter((found) => found !== undefined);
