// workerd's side: a Durable Object with a SQLite database of its own, which it fills itself, and Drizzle.
import { DurableObject } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { userByPath } from "./queries.mjs";

export class Store extends DurableObject {
  #find;

  constructor(state, env) {
    super(state, env);
    state.storage.sql.exec(`
      create table if not exists users (id integer primary key, name text not null, email text not null, created_at integer not null);
      insert or ignore into users
      with recursive ids(id) as (select 1 union all select id + 1 from ids where id < 100000)
      select id, format('name %07d', id), format('user-%07d@example.com', id), 1700000000000 + id * 1000 from ids`);
    this.#find = userByPath(drizzle(state.storage));
  }

  async fetch(request) {
    const user = this.#find(new URL(request.url).pathname);
    return user ? Response.json(user) : new Response("no such user", { status: 404 });
  }
}

export default {
  fetch: (request, env) => env.STORE.get(env.STORE.idFromName("main")).fetch(request),
};
