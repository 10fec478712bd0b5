// ends: Threw
// worker: nothing, since every call has a session of its own
// A call that threw inside of a transaction of the driver that is not awaited.
import { sql } from "drizzle-orm";
import { database } from "schemascript";
const db = database({});
const make = sql`create table if not exists t (x)`;
export const first = async (secret) => {
  await db.run(make);
  db.transaction(async (tx) => {
    await tx.run(sql`insert into t values (${secret})`);
    await new Promise(() => {});
  });
  for (let count = 0; count < 10; ++count) await null;
  throw new Error("outside");
};
export const second = async () => {
  await db.run(make);
  return db.all(sql`select * from t`);
};
