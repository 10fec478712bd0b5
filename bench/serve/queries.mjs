// What every server other than SchemaScript's does with a path: the same queries as in app.ts, and the same answers.
import { eq, sql } from "drizzle-orm";
import { users } from "./tables.mjs";

/** Answers a function from a path to a user: `/users/7` with a query that is prepared once, `/built/7` with one that is built anew. */
export function userByPath(db) {
  const byId = db
    .select()
    .from(users)
    .where(eq(users.id, sql.placeholder("id")))
    .prepare();
  return (path) => {
    const id = Number(path.slice(7));
    if (path.startsWith("/users/")) return byId.get({ id });
    if (path.startsWith("/built/")) return db.select().from(users).where(eq(users.id, id)).get();
    return undefined;
  };
}
