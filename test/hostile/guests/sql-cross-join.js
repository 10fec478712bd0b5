// Attack: a table joined with itself ten times.
// Ends: call time
import { sql } from "drizzle-orm";
import { database, Table } from "schemascript";
const db = database({ t: Table("t", (prop) => ({ id: prop.integer().identifier() })) });
export const attack = async () => {
  await db.run(sql`create table if not exists t (id integer primary key) strict`);
  await db.run(
    sql`insert or ignore into t with recursive n(i) as (select 1 union all select i + 1 from n limit 1000) select i from n`,
  );
  return db.all(
    sql`select count(*) from t a, t b, t c, t d, t e, t f, t g, t h, t i, t j where a.id + b.id + c.id < 0 or j.id > i.id`,
  );
};
