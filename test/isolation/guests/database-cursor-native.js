// A cursor of the driver that is read by half.
import { sql } from "drizzle-orm";
import { database } from "schemascript";
const db = database({});
let iterator;
export const first = async () => {
  const rows = sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) select i from n`;
  iterator = db.iterate(rows)[Symbol.asyncIterator]();
  await iterator.next();
};
export const second = async () =>
  iterator === undefined ? [] : [await iterator.next().catch(String)];
