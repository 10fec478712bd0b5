// A Durable Object with a SQLite database; the roles are asked for over HTTP:
//
//   /where                          the name of its database's file
//   /start?mode=raw|drizzle         one row
//   /bench?mode=...&workload=NAME   lines as roles.mjs prints them
//   /user/ID                        one row, with Drizzle
//   /sandboxes?count=N&first=M      isolates M, M + 1, ... of the worker loader, each to its first row: milliseconds as JSON
import { DurableObject } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { firstRow, line } from "../../roles.mjs";
import { users } from "../../schema.mjs";
import { WORKLOADS } from "../../workloads.mjs";

export class Store extends DurableObject {
  #db;

  constructor(state, env) {
    super(state, env);
    this.#db = drizzle(state.storage);
  }

  #open(mode) {
    const { storage } = this.ctx;
    const runtime = {
      now: () => performance.now(),
      coarse: true, // Its clock stands still within a request, but for input and output.
      transaction: (work) => storage.transactionSync(() => work(this.#db)),
      settle: () => storage.sync(),
      parametersMax: 99,
    };
    if (mode !== "raw") return { ...runtime, db: this.#db };
    const execute = (sql, parameters) => storage.sql.exec(sql, ...parameters);
    return {
      ...runtime,
      raw: {
        get:
          (sql) =>
          (...parameters) =>
            execute(sql, parameters).one(),
        all:
          (sql) =>
          (...parameters) =>
            execute(sql, parameters).toArray(),
        run:
          (sql) =>
          (...parameters) =>
            execute(sql, parameters),
      },
      integers: { "as it comes": (sql) => execute(sql, []).one().value },
    };
  }

  async #bench(mode, workload) {
    const lines = [];
    await WORKLOADS[workload](this.#open(mode), (name, figure) => lines.push(line(name, figure)));
    return lines.join("\n");
  }

  async #sandboxes(count, first) {
    const figures = [];
    for (let i = first; i < first + count; ++i) {
      const begin = performance.now();
      const worker = this.env.LOADER.get(`tenant-${i}`, () => ({
        compatibilityDate: "2025-06-01",
        mainModule: "tenant.js",
        modules: { "tenant.js": this.env.TENANT },
        globalOutbound: null,
      }));
      const facet = this.ctx.facets.get(`tenant-${i}`, () => ({
        class: worker.getDurableObjectClass("Tenant"),
      }));
      const row = await (await facet.fetch("http://tenant/")).json();
      if (row.id !== 4242) throw new Error(`wrong answer: ${JSON.stringify(row)}`);
      figures.push(performance.now() - begin);
    }
    return figures;
  }

  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const mode = searchParams.get("mode");
    if (pathname.startsWith("/user/")) {
      const id = Number(pathname.slice("/user/".length));
      return Response.json(this.#db.select().from(users).where(eq(users.id, id)).get());
    }
    switch (pathname) {
      case "/where":
        return new Response(this.ctx.id.toString());
      case "/start":
        return Response.json(await firstRow(this.#open(mode)));
      case "/bench":
        return new Response(await this.#bench(mode, searchParams.get("workload")));
      case "/sandboxes":
        return Response.json(
          await this.#sandboxes(
            Number(searchParams.get("count")),
            Number(searchParams.get("first")),
          ),
        );
      default:
        return new Response("there is no such path", { status: 404 });
    }
  }
}

export default {
  fetch: (request, env) => env.STORE.get(env.STORE.idFromName("main")).fetch(request),
};
