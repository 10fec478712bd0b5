// Who is compared. A contender has an id, a label, and what it can be asked for, each answering figures `[name, value]`:
//
//   find()                       why it cannot be had; undefined if it can
//   version()
//   start()                      { said, toFirst } of a whole process, in milliseconds
//   bench(workload, database)    of workloads.mjs, in microseconds
//   sandboxes(count)             microseconds from nothing to the first row
//   serve(port)                  the process of a server that answers GET /user/ID
//   memory(counts)               megabytes at the first row, and for each further sandbox of the counts
//
// What it has not, it is not asked for.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  copyDatabase,
  figuresIn,
  firstAnswer,
  freePort,
  get,
  proportionalMemory,
  run,
  start,
  stop,
} from "./processes.mjs";
import { suite } from "./setup.mjs";

/** For what is freed a moment after an answer. */
const SETTLING = 400;

const FIRST = "with the first row";
const perSandbox = (count) => `for each further of ${count}`;

/** One program that has the roles of roles.mjs. `roles`: those that it has; `workloads`: the same. */
class Program {
  constructor(place, description) {
    Object.assign(this, { place, needs: [], workloads: undefined, ...description });
    for (const role of ["start", "bench", "sandboxes", "serve", "memory"]) {
      if (!this.roles.includes(role)) this[role] = undefined;
    }
  }

  find() {
    for (const need of this.needs) {
      const failure = this.place.missing(need);
      if (failure) return failure;
    }
    if (this.file && !existsSync(this.file))
      return `there is no ${this.file.split("/").at(-1)} for this machine`;
    return undefined;
  }

  async version() {
    const { said } = await run(this.versionCommand ?? [this.command[0], "--version"]);
    return `${this.product} ${said
      .trim()
      .split("\n")[0]
      .replace(/^deno | \(.*/g, "")}`;
  }

  #with(...words) {
    return [...this.command, ...words];
  }

  start() {
    return run(this.#with("start"), { database: this.place.seed });
  }

  async bench(workload, database) {
    return figuresIn((await run(this.#with("bench", workload), { database })).said);
  }

  async sandboxes(count) {
    return figuresIn(
      (await run(this.#with("sandboxes", count), { database: this.place.seed })).said,
    );
  }

  serve(port) {
    return start(this.#with("serve", port), { database: this.place.seed });
  }

  async memory(counts) {
    const child = start(this.#with("memory"), { database: this.place.seed, input: "pipe" });
    const ready = async () => {
      while (!child.said.includes("READY\n")) {
        if (await Promise.race([child.ended.then(() => true), sleep(20)])) {
          throw new Error(`it ended: ${child.complained.trim().slice(-300)}`);
        }
      }
      child.said = "";
      await sleep(SETTLING);
      return proportionalMemory(child.pid);
    };
    try {
      let before = await ready();
      const figures = [[FIRST, before]];
      for (const count of counts) {
        child.stdin.write(`${count}\n`);
        const after = await ready();
        figures.push([perSandbox(count), (after - before) / count]);
        before = after;
      }
      return figures;
    } finally {
      await stop(child);
    }
  }
}

/** Its programs are asked for over its command line, its tenants over its server. */
class SchemaScript {
  id = "schemascript";
  sandbox = "WebAssembly";

  constructor(place, { program, build }) {
    Object.assign(this, { place, program, build });
    this.label = "SchemaScript";
    this.workFolder = join(place.folder, "schemascript");
  }

  find() {
    return existsSync(this.program)
      ? this.place.missing("seed")
      : `there is no ${this.program}; run: make`;
  }

  async version() {
    return (await run([this.program, "--version"])).said.trim().split("\n")[0];
  }

  #run(database, ...words) {
    const app = join(suite, "programs/schemascript.ts");
    const limits = [
      "--time-limit",
      "2m",
      "--fuel-limit",
      "1000000000000",
      "--memory-limit",
      "512mb",
    ];
    return run([this.program, "run", app, "--db", database, ...limits, "--", ...words]);
  }

  start() {
    return this.#run(this.place.seed, "start");
  }

  async bench(workload, database) {
    return figuresIn((await this.#run(database, "bench", workload)).said);
  }

  /** Of the host alone: an isolate from the app's snapshot to the row of a prepared query, in one process. */
  async sandboxes() {
    mkdirSync(this.workFolder, { recursive: true });
    const bundle = join(this.workFolder, "isolates.js");
    await run([this.program, "bundle", join(suite, "../isolates-app.ts"), "--output", bundle]);
    const { said } = await run([
      join(this.build, "bin/isolates-bench"),
      join(this.build, "lib/schemascript"),
      bundle,
      "get",
      "7",
    ]);
    return [["to the first row", Number(/new isolate.*? ([\d.]+) us/.exec(said)[1])]];
  }

  serve(port) {
    return this.#serve(port, "--db", this.place.seed);
  }

  #serve(port, ...words) {
    const app = join(suite, "programs/schemascript-serve.ts");
    return start([this.program, "serve", app, "--port", port, "--log", "off", ...words]);
  }

  async memory(counts) {
    const folder = join(this.workFolder, "tenants");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const template = join(this.workFolder, "tenant.db");
    rmSync(template, { force: true });
    const seed = `attach '${this.place.seed}' as seed;
      pragma journal_mode = wal;
      create table users (id integer primary key, name text not null, email text unique, created_at integer);
      insert into users select * from seed.users where id = 4242;`;
    writeFileSync(join(this.workFolder, "tenant.sql"), seed);
    await run(["sqlite3", template, `.read ${join(this.workFolder, "tenant.sql")}`]);
    const port = await freePort();
    const all = counts.reduce((sum, count) => sum + count, 1);
    for (let i = 0; i < all; ++i) copyDatabase(template, join(folder, `t${i}.db`));
    const child = this.#serve(port, "--tenants", folder, "--tenant-from", "path");
    try {
      let next = 0;
      const ask = async (count) => {
        for (const end = next + count; next < end; ++next) {
          const text = await firstAnswer(child, port, `/t${next}/user/4242`);
          if (JSON.parse(text).id !== 4242) throw new Error(`wrong answer: ${text}`);
        }
        await sleep(SETTLING);
        return proportionalMemory(child.pid);
      };
      let before = await ask(1);
      const figures = [[FIRST, before]];
      for (const count of counts) {
        const after = await ask(count);
        figures.push([perSandbox(count), (after - before) / count]);
        before = after;
      }
      return figures;
    } finally {
      await stop(child);
    }
  }
}

/** Is always a server; its database is the file of a Durable Object. */
class Workerd {
  sandbox = "V8 isolate";

  constructor(place, mode) {
    Object.assign(this, { place, mode, id: `workerd-${mode}` });
    this.label = mode === "raw" ? "workerd, sql.exec" : "workerd, Drizzle";
    this.file = join(place.folder, "node_modules/@cloudflare/workerd-linux-64/bin/workerd");
    this.disk = join(place.folder, "workerd/disk");
    if (mode === "raw")
      Object.assign(this, { sandboxes: undefined, serve: undefined, memory: undefined });
    this.workloads = mode === "raw" ? ["select", "rows", "inserts", "values"] : undefined;
  }

  find() {
    return (
      this.place.missing("bundles") ??
      this.place.missing("seed") ??
      (existsSync(this.file) ? undefined : "there is no workerd for this machine")
    );
  }

  async version() {
    return (await run([this.file, "--version"])).said.trim();
  }

  #start(port) {
    const config = join(this.place.folder, "workerd/config.capnp");
    return start([
      this.file,
      "serve",
      config,
      "--experimental",
      `--directory-path=disk=${this.disk}`,
      `--socket-addr=http=127.0.0.1:${port}`,
    ]);
  }

  /** It chooses the name of the file itself, so it is asked once. */
  async #seed() {
    const port = await freePort();
    rmSync(this.disk, { recursive: true, force: true });
    mkdirSync(this.disk, { recursive: true });
    const child = this.#start(port);
    const id = await firstAnswer(child, port, "/where").finally(() => stop(child));
    const store = join(this.disk, "bench-store");
    for (const name of readdirSync(store)) {
      if (!name.startsWith("metadata")) rmSync(join(store, name), { recursive: true });
    }
    copyDatabase(this.place.seed, join(store, `${id}.sqlite`));
  }

  async #served(path, use) {
    const port = await freePort();
    const begin = performance.now();
    const child = this.#start(port);
    try {
      const said = await firstAnswer(child, port, path);
      return await use({ said, toFirst: performance.now() - begin, port, child });
    } finally {
      await stop(child);
    }
  }

  async start() {
    await this.#seed();
    return this.#served(`/start?mode=${this.mode}`, ({ said, toFirst }) => ({ said, toFirst }));
  }

  async bench(workload) {
    await this.#seed();
    return this.#served(`/bench?mode=${this.mode}&workload=${workload}`, ({ said }) =>
      figuresIn(said),
    );
  }

  async sandboxes(count) {
    await this.#seed();
    return this.#served("/start?mode=drizzle", async ({ port }) => {
      const figures = JSON.parse(await get(port, `/sandboxes?first=0&count=${count}`));
      const sorted = figures.sort((a, b) => a - b);
      return [["to the first row", sorted[Math.floor(sorted.length / 2)] * 1000]];
    });
  }

  async serve(port) {
    await this.#seed();
    return this.#start(port);
  }

  async memory(counts) {
    await this.#seed();
    return this.#served("/start?mode=drizzle", async ({ port, child }) => {
      let next = 0;
      const ask = async (count) => {
        await get(port, `/sandboxes?first=${next}&count=${count}`);
        next += count;
        await sleep(SETTLING);
        return proportionalMemory(child.pid);
      };
      let before = await ask(1);
      const figures = [[FIRST, before]];
      for (const count of counts) {
        const after = await ask(count);
        figures.push([perSandbox(count), (after - before) / count]);
        before = after;
      }
      return figures;
    });
  }
}

/** In the order of the tables. */
export function contenders(place, { program, build, quickJs }) {
  const at = (name) => join(place.folder, name);
  const node = (mode, roles, ...flags) => [
    process.execPath,
    ...flags,
    at("programs/node.mjs"),
    mode,
    ...roles,
  ];
  const all = ["start", "bench", "sandboxes", "serve", "memory"];
  const raw = { roles: ["start", "bench"], workloads: ["select", "rows", "inserts", "values"] };
  const bun = at("node_modules/bun/bin/bun.exe");
  const deno = at("node_modules/@deno/linux-x64-glibc/deno");
  const packages = { needs: ["packages", "seed"] };
  const denoCommand = [deno, "run", "-A", "--no-lock", at("programs/deno.mjs")];
  const threads = { sandbox: "none", counts: [10] };
  return [
    new SchemaScript(place, { program, build }),
    new Program(place, {
      id: "c",
      product: "SQLite",
      label: "C and SQLite alone",
      sandbox: "none",
      command: [at("sqlite")],
      needs: ["sqlite", "seed"],
      ...raw,
      versionCommand: [at("sqlite"), "version"],
    }),
    new Program(place, {
      id: "node-raw",
      product: "Node",
      label: "Node, better-sqlite3",
      sandbox: "none",
      command: node("raw", []),
      ...packages,
      ...raw,
      versionCommand: [process.execPath, "--version"],
    }),
    new Program(place, {
      id: "node-drizzle",
      product: "Node",
      label: "Node, better-sqlite3, Drizzle",
      command: node("drizzle", [], "--expose-gc"),
      roles: all,
      ...packages,
      ...threads,
      versionCommand: [process.execPath, "--version"],
    }),
    new Program(place, {
      id: "node-proxy",
      product: "Node",
      label: "Node, Drizzle's sqlite-proxy over JSON",
      sandbox: "none",
      command: node("proxy", []),
      roles: ["start", "bench", "serve"],
      workloads: ["select", "rows", "inserts", "values"],
      ...packages,
      versionCommand: [process.execPath, "--version"],
    }),
    new Program(place, {
      id: "bun-raw",
      product: "Bun",
      label: "Bun, bun:sqlite",
      sandbox: "none",
      command: [bun, at("programs/bun.mjs"), "raw"],
      file: bun,
      ...packages,
      ...raw,
    }),
    new Program(place, {
      id: "bun-drizzle",
      product: "Bun",
      label: "Bun, bun:sqlite, Drizzle",
      command: [bun, at("programs/bun.mjs"), "drizzle"],
      file: bun,
      roles: all,
      ...packages,
      ...threads,
    }),
    new Program(place, {
      id: "deno-raw",
      product: "Deno",
      label: "Deno, node:sqlite",
      sandbox: "none",
      command: [...denoCommand, "raw"],
      file: deno,
      ...packages,
      ...raw,
    }),
    new Program(place, {
      id: "deno-drizzle",
      product: "Deno",
      label: "Deno, node:sqlite, Drizzle's sqlite-proxy",
      command: [...denoCommand, "drizzle"],
      file: deno,
      roles: all,
      ...packages,
      ...threads,
    }),
    new Workerd(place, "raw"),
    new Workerd(place, "drizzle"),
    new Program(place, {
      id: "quickjs-wasi",
      product: "quickjs-wasi 3.6.2 in Node",
      label: "QuickJS in WebAssembly in Node, Drizzle over JSON",
      sandbox: "WebAssembly",
      counts: [10],
      command: [process.execPath, "--expose-gc", at("programs/quickjs-wasi.mjs")],
      roles: all,
      needs: ["bundles", "seed"],
      versionCommand: [process.execPath, "--version"],
    }),
    new Program(place, {
      id: "quickjs",
      product: "QuickJS",
      label: "QuickJS, native",
      sandbox: "none",
      command: [quickJs ?? at("qjs"), at("javascript-alone.bundle.mjs")],
      file: quickJs ?? at("qjs"),
      roles: ["bench"],
      workloads: ["javascript"],
      needs: ["bundles"],
      versionCommand: ["cat", join(build, "quickjs-native/VERSION")],
    }),
  ];
}
