// The app of the benchmark `isolates`: a query that is prepared in module scope, as an app would have it.
import { eq, sql } from "drizzle-orm";
import { database, Table } from "schemascript";

const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text(),
  email: prop.text().unique(),
  role: prop.enum({ options: ["admin", "member"] }),
  score: prop.real(),
}));

const db = database({ users });
const byId = db
  .select()
  .from(users)
  .where(eq(users.id, sql.placeholder("id")))
  .prepare();

export const setUp = async () => {
  await db.run(
    sql`create table users (id integer primary key, name text, email text, role text, score real)`,
  );
  for (let id = 1; id <= 100; ++id) {
    await db
      .insert(users)
      .values({ name: `User ${id}`, email: `${id}@example.org`, role: "admin", score: id / 2 });
  }
};

export const get = (id: number) => byId.get({ id });
export const build = (id: number) => db.select().from(users).where(eq(users.id, id)).get();
export const nothing = () => null;
