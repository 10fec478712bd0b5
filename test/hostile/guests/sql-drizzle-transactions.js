// Attack: transactions that wait for each other, never end, or end twice.
// Ends: call threw
// Ends: call pending
// Ends: call time
import { sql } from "drizzle-orm";
import { database, Table } from "schemascript";
const t = Table("t", (prop) => ({ id: prop.integer().identifier() }));
const db = database({ t });
export const attack = async () => {
  await db.run(sql`create table if not exists t (id integer primary key)`);
  const kept = [];
  await db.transaction(async (tx) => {
    kept.push(tx);
    await tx.insert(t).values({});
  });
  await kept[0]
    .insert(t)
    .values({})
    .catch(() => {});
  await db.transaction(async (outer) => {
    await outer.insert(t).values({});
    await db.transaction(async (other) => {
      await other.insert(t).values({});
    });
  });
};
