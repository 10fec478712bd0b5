// worker: nothing, since no call sees what the driver keeps
// Hundreds of statements, kept by the driver and by SQLite, with the secret as text and as value.
import { sql } from "drizzle-orm";
import { database } from "schemascript";
const db = database({});
export const first = async (secret) => {
  for (let count = 0; count < 300; ++count) {
    await db.all(sql`select ${secret} as ${sql.raw(`"${secret}${count}"`)}`);
  }
};
export const second = async () => db.all(sql`select 1 where 0`);
