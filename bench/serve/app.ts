// SchemaScript's side of node bench/serve.mjs: `/users/7` with a query that is prepared once, `/built/7` with one that is built anew.
import { eq, sql } from "drizzle-orm";
import { database, Table } from "schemascript";

const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text(),
  email: prop.text(),
  createdAt: prop.datetime("created_at"),
}));

const db = database({ users });
const byId = db
  .select()
  .from(users)
  .where(eq(users.id, sql.placeholder("id")))
  .prepare();

async function userByPath(path: string) {
  const id = Number(path.slice(7));
  if (path.startsWith("/users/")) return byId.get({ id });
  if (path.startsWith("/built/")) return db.select().from(users).where(eq(users.id, id)).get();
  return undefined;
}

export default {
  async fetch(request: Request) {
    const user = await userByPath(new URL(request.url).pathname);
    return user ? Response.json(user) : new Response("no such user", { status: 404 });
  },
};
