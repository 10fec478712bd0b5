// Attack: Drizzle with raw pieces, names and values that are SQL.
// Ends: call answered []
import { sql, eq, inArray } from "drizzle-orm";
import { database, Table } from "schemascript";
const t = Table("t", (prop) => ({ id: prop.integer().identifier(), text: prop.text() }));
const db = database({ t });
const bad = `'"\`; drop table t; --\0`;
export const attack = async () => {
  await db.run(
    sql`create table if not exists t (id integer primary key, text text not null) strict`,
  );
  await db.run(sql`insert or replace into t values (1, ${bad})`);
  const wrong = [];
  const row = await db.select().from(t).where(eq(t.text, bad)).get();
  if (row?.text !== bad) wrong.push("value", row);
  for (const use of [
    () => db.select({ [bad]: sql.identifier(bad) }).from(t),
    () => db.select().from(sql.raw("t; drop table t")),
    () => db.select().from(t).where(sql.raw("1; drop table t")),
    () => db.select().from(t).limit(Infinity),
    () =>
      db
        .select()
        .from(t)
        .where(inArray(t.id, new Array(40_000).fill(1))),
    () => db.run(sql`${sql.raw("attach 'x' as y")}`),
    () =>
      db.transaction(async (tx) => {
        await tx.run(sql`commit`);
      }),
  ]) {
    try {
      await use();
      wrong.push(String(use));
    } catch {}
  }
  const count = await db.select().from(t);
  if (count.length !== 1) wrong.push(count);
  return wrong;
};
