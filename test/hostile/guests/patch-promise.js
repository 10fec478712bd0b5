// Attack: Promise.prototype.then and the constructor's statics, then queries.
// Ends: call answered [{"id":7}]
// Ends: call answered "forged"
// Ends: call threw
// Ends: call pending
import { sql } from "drizzle-orm";
import { database, Table } from "schemascript";
const t = Table("t", (prop) => ({ id: prop.integer().identifier() }));
const db = database({ t });
export const attack = async () => {
  await db.run(sql`create table t (id integer primary key) strict`);
  await db.insert(t).values({ id: 7 });
  for (const name of ["then", "catch", "finally"]) Promise.prototype[name] = () => "forged";
  for (const name of ["all", "resolve", "reject", "race"])
    Promise[name] = () => ({ then: (f) => f("forged") });
  Object.defineProperty(Promise.prototype, "constructor", {
    get() {
      throw new Error("constructor");
    },
  });
  Object.defineProperty(Promise, Symbol.species, {
    get() {
      throw new Error("species");
    },
  });
  return await db.select().from(t);
};
