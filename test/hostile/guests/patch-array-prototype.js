// Attack: setters for indices, an iterator and methods of Array.prototype, then queries.
// Ends: call answered "right or an error"
import { eq, sql } from "drizzle-orm";
import { database, Table } from "schemascript";
const t = Table("t", (prop) => ({ id: prop.integer().identifier(), text: prop.text() }));
const db = database({ t });
const { defineProperty, getOwnPropertyNames } = Object;
export const attack = async () => {
  await db.run(
    sql`create table if not exists t (id integer primary key, text text not null) strict`,
  );
  await db.delete(t);
  await db.insert(t).values({ id: 7, text: "seven" });
  const saved = getOwnPropertyNames(Array.prototype);
  defineProperty(Array.prototype, "0", {
    set() {
      throw new Error("set");
    },
    get: () => "forged",
    configurable: true,
  });
  const plans = [
    () => (Array.prototype[Symbol.iterator] = () => ({ next: () => ({ done: true }) })),
  ];
  for (let i = 0; i < saved.length; ++i) {
    if (typeof Array.prototype[saved[i]] !== "function") continue;
    defineProperty(plans, plans.length, {
      value: () => (Array.prototype[saved[i]] = () => "forged"),
      writable: true,
      configurable: true,
      enumerable: true,
    });
  }
  for (let i = 0; i < plans.length; ++i) {
    plans[i]();
    try {
      const row = await db.select().from(t).where(eq(t.id, 7)).get();
      if (row !== undefined && (row.id !== 7 || row.text !== "seven")) return { row };
    } catch {}
    const direct = __host_sqlite.values(__host_sqlite.statement("select 42"), [], 0);
    if (direct[0][0] !== 42) return "wrong " + i;
  }
  return "right or an error";
};
