// What the program calls. Of an app in TypeScript, or of several files, `schemascript bundle` makes such a module.
import { sql } from "drizzle-orm";
import { database, Table } from "schemascript";

const visits = Table("visits", (prop) => ({
  name: prop.text().identifier(),
  count: prop.integer(),
}));
const db = database({ visits });

export async function visit({ name }) {
  console.log("visited by", name);
  return await db
    .insert(visits)
    .values({ name, count: 1 })
    .onConflictDoUpdate({ target: visits.name, set: { count: sql`${visits.count} + 1` } })
    .returning()
    .get();
}

export const reversed = (bytes) => bytes.reverse();
