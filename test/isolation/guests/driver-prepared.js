// A prepared query, and the values that it was executed with.
import { eq, sql } from "drizzle-orm";
import { database, Table } from "schemascript";
const things = Table("things", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
const db = database({ things });
const byName = db
  .select()
  .from(things)
  .where(eq(things.name, sql.placeholder("name")))
  .prepare();
const make = sql`create table if not exists things (id integer primary key, name text)`;
export const first = async (secret) => {
  await db.run(make);
  await byName.all({ name: secret });
  byName.left = secret;
  byName.all = () => [secret];
};
export const second = async () => {
  await db.run(make);
  return [...(await byName.all({ name: "none" })), byName.left].filter(
    (found) => found !== undefined,
  );
};
