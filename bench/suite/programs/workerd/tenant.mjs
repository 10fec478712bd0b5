// One tenant's code, which the worker loader puts into an isolate of its own, with a database of its own.
import { DurableObject } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { USER } from "../../roles.mjs";
import { users } from "../../schema.mjs";

export class Tenant extends DurableObject {
  async fetch() {
    const { sql } = this.ctx.storage;
    sql.exec(
      "create table if not exists users (id integer primary key, name text not null, email text, created_at integer)",
    );
    sql.exec("insert or ignore into users values (?, ?, ?, ?)", ...Object.values(USER));
    const db = drizzle(this.ctx.storage);
    return Response.json(db.select().from(users).where(eq(users.id, USER.id)).get());
  }
}

export default { fetch: () => new Response("ok") };
