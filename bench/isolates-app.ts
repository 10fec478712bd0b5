// The app of isolates.cc: a prepared query, made in module scope as an app would.
import { eq, sql } from "drizzle-orm";
import { database, Table } from "schemascript";

const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text(),
  email: prop.text().unique(),
  role: prop.enum({ options: ["admin", "member"] }),
  createdAt: prop.integer(),
}));

const db = database({ users });
const byId = db
  .select()
  .from(users)
  .where(eq(users.id, sql.placeholder("id")))
  .prepare();

export const setUp = async () => {
  await db.run(
    sql`create table users (id integer primary key, name text, email text, role text, createdAt integer, created_at integer)`,
  );
  for (let id = 1; id <= 100; ++id) {
    await db.run(
      sql`insert into users (id, name, email, role, createdAt, created_at) values (${id}, ${`User ${id}`}, ${`${id}@example.org`}, 'admin', 1, 1)`,
    );
  }
};

export const get = (id: number) => byId.get({ id });
export const build = (id: number) => db.select().from(users).where(eq(users.id, id)).get();
export const empty = () => 42;
