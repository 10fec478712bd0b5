// What `schemascript serve` does where the tables of a database are not those of its app.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { program, Server } from "./server.mjs";

const folder = mkdtempSync(join(tmpdir(), "serve-schema-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const FIRST = "name: prop.text()";
const SECOND = `${FIRST}, email: prop.text().optional()`;

let count = 0;
/** An app with its migrations. */
class Project {
  constructor(columns = FIRST) {
    this.folder = join(folder, `project-${++count}`);
    mkdirSync(this.folder);
    this.app = join(this.folder, "app.ts");
    this.database = join(this.folder, "app.db");
    this.migrations = join(this.folder, "migrations");
    this.declare(columns);
  }

  declare(columns) {
    this.write(`
      import { database, Table } from "schemascript";
      const people = Table("people", (prop) => ({ id: prop.integer().identifier(), ${columns} }));
      const db = database({ people });
      export default { fetch: async () => Response.json(await db.select().from(people)) };
    `);
  }
  write(text) {
    writeFileSync(this.app, text);
  }

  run(...words) {
    const options = { cwd: this.folder, encoding: "utf8", timeout: 60_000 };
    return spawnSync(program, words, options);
  }
  done(...words) {
    const { status, stdout, stderr } = this.run(...words);
    assert.equal(status, 0, `${words.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  }
  generate(name) {
    this.done("generate", this.app, "--name", name);
    return readdirSync(this.migrations).find((id) => id.endsWith(`_${name}`));
  }
  sql(text, database = this.database) {
    const script = join(this.folder, "sql.ts");
    writeFileSync(
      script,
      `import { database } from "schemascript";
       import { sql } from "drizzle-orm";
       console.log(JSON.stringify(await database().values(sql.raw(${JSON.stringify(text)}))));`,
    );
    return JSON.parse(this.done("run", script, "--db", database));
  }

  /** What `serve` says when it does not start. */
  refused(...words) {
    const { status, stderr } = this.run("serve", this.app, "--port", "0", ...words);
    assert.equal(status, 1, stderr);
    return stderr;
  }
  /** Serves for as long as `use` takes; answers what was said. */
  async served(data, use = async () => {}) {
    const options = ["--migrations", this.migrations];
    const server = await Server.start(this.app, { data, options });
    try {
      await use(server);
    } finally {
      await server.stop();
    }
    return server.errors;
  }
}

describe("serve, with another schema than the app's", { concurrency: true }, () => {
  test("a database without the tables is refused, and none is made", () => {
    const project = new Project();
    const said = project.refused("--db", "app.db");
    assert.match(said, /app\.db is not what .*app\.ts declares:\n {2}table people is missing\n/);
    assert.match(
      said,
      /no migrations in migrations; write one with schemascript generate .*--push/,
    );
    assert.ok(!existsSync(project.database));
  });

  test("a database in memory needs --push", () => {
    const said = new Project().refused();
    assert.match(said, /the database in memory is not what/);
    assert.match(said, /--db FILE.*--push/);
  });

  test("missing migrations are named, and --migrate carries them out", async () => {
    const project = new Project();
    const first = project.generate("first");
    project.done("migrate", "--db", "app.db");
    project.sql("insert into people (name) values ('Ada') returning id");
    project.declare(SECOND);
    const second = project.generate("second");
    const said = project.refused("--db", "app.db");
    assert.match(said, /table people: column email is missing/);
    assert.match(said, new RegExp(`it has not seen 1 migration:\n {2}${second}\n`));
    assert.doesNotMatch(said, new RegExp(first));
    assert.match(said, /schemascript migrate --db app\.db, or serve with --migrate/);
    const served = await project.served(["--db", project.database, "--migrate"], async (server) => {
      const { body } = await server.fetch("/");
      assert.deepEqual(body, [{ id: 1, name: "Ada", email: null }]);
    });
    assert.match(served, new RegExp(`app\\.db: applied ${second} in `));
    // Nothing is left to do, with the option or without.
    for (const data of [["--migrate"], []]) {
      const again = await project.served(["--db", project.database, ...data]);
      assert.doesNotMatch(again, /applied/);
    }
  });

  test("--migrate runs the code of migrations, which a signal ends", async () => {
    const project = new Project();
    project.generate("first");
    project.done("migrate", "--db", "app.db");
    project.sql("insert into people (name) values ('Ada') returning id");
    project.done("generate", project.app, "--name", "data", "--data");
    const id = readdirSync(project.migrations).find((name) => name.endsWith("_data"));
    const code = (text) =>
      writeFileSync(
        join(project.migrations, id, "up.ts"),
        `import { sql } from "drizzle-orm";
         import { database } from "schemascript";
         await database().run(sql\`update people set name = upper(name)\`);
         ${text}`,
      );
    code("for (;;) {}");
    const child = spawn(
      program,
      ["serve", project.app, "--port", "0", "--db", "app.db", "--migrate"],
      { cwd: project.folder, stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    child.stderr.on("data", (text) => (said += text));
    setTimeout(() => child.kill("SIGTERM"), 1_500);
    assert.equal(await new Promise((done) => child.on("close", done)), 4, said);
    assert.match(said, /interrupted; nothing was changed\n$/);
    assert.deepEqual(project.sql("select name from people"), [["Ada"]]);

    code('console.log("names are large");');
    const served = await project.served(["--db", project.database, "--migrate"], async (server) => {
      assert.deepEqual((await server.fetch("/")).body, [{ id: 1, name: "ADA" }]);
    });
    assert.match(served, new RegExp(`^names are large\n.*applied ${id} in `));
  });

  test("a database that is not there is made by --migrate", async () => {
    const project = new Project();
    project.generate("first");
    await project.served(["--db", project.database, "--migrate"], async (server) => {
      assert.deepEqual((await server.fetch("/")).body, []);
    });
  });

  test("--migrate without the migration that is needed is refused", () => {
    const project = new Project();
    project.generate("first");
    project.declare(SECOND);
    const said = project.refused("--db", "app.db", "--migrate");
    assert.match(said, /column email is missing\nno migration in migrations leads there/);
  });

  test("a database that was changed by hand is not migrated", () => {
    const project = new Project(SECOND);
    project.generate("first");
    project.done("migrate", "--db", "app.db");
    project.sql("insert into people (name, email) values ('Ada', 'a@b') returning id");
    const changed = project.sql("select count(*) from people");
    project.declare(FIRST);
    project.done("generate", project.app, "--name", "less", "--allow-loss", "people.email");
    // Changed by hand, so that what was rehearsed is not what there is.
    project.sql("alter table people add column extra text");
    const said = project.refused("--db", "app.db", "--migrate");
    assert.match(said, /was changed by hand/);
    assert.deepEqual(project.sql("select count(*) from people"), changed);
  });

  test("what the app does not know does no harm, unless it refuses the app's rows", async () => {
    const project = new Project();
    project.done("push", project.app, "--db", "app.db");
    project.sql("alter table people add column later text");
    project.sql("alter table people add column counted integer not null default 0");
    project.sql("create table others (id integer primary key)");
    project.sql("create index people_later on people (later)");
    await project.served(["--db", project.database]);
    project.sql("create unique index people_name on people (name)");
    assert.match(project.refused("--db", "app.db"), /unique index people_name is in the database/);
    project.sql("drop index people_name");
    await project.served(["--db", project.database]);
  });

  test("columns that have become others are named", () => {
    const project = new Project("name: prop.integer()");
    project.done("push", project.app, "--db", "app.db");
    project.declare(FIRST);
    assert.match(
      project.refused("--db", "app.db"),
      /column name is INTEGER NOT NULL in the database, and TEXT NOT NULL in the app/,
    );
  });

  test("with --read-only the database is looked at, and not touched", async () => {
    const project = new Project();
    project.done("push", project.app, "--db", "app.db");
    await project.served(["--db", project.database, "--read-only"]);
    project.declare(SECOND);
    assert.match(project.refused("--db", "app.db", "--read-only"), /column email is missing/);
    const both = project.run("serve", project.app, "--db", "app.db", "--read-only", "--migrate");
    assert.equal(both.status, 2);
    assert.match(both.stderr, /--migrate\) changes the database/);
  });

  test("an app without tables, or without the package, needs none", async () => {
    const project = new Project();
    project.write(`export default { fetch: () => new Response("hello") };`);
    await project.served(["--db", project.database], async (server) => {
      assert.equal((await server.fetch("/")).body, "hello");
    });
  });

  test("a reload that does not fit is refused, and the app from before goes on", async () => {
    const project = new Project();
    project.generate("first");
    project.done("migrate", "--db", "app.db");
    await project.served(["--db", project.database], async (server) => {
      project.declare(SECOND);
      const said = await server.reload();
      assert.match(said, /column email is missing/);
      assert.match(said, /not reloaded; the app from before is served on/);
      assert.deepEqual((await server.fetch("/")).body, []);
      project.generate("second");
      project.done("migrate", "--db", "app.db");
      assert.match(await server.reload(), /: reloaded/);
    });
  });

  test("a reload with --migrate carries out what has come", async () => {
    const project = new Project();
    project.generate("first");
    await project.served(["--db", project.database, "--migrate"], async (server) => {
      project.declare(SECOND);
      const second = project.generate("second");
      const said = await server.reload();
      assert.match(said, new RegExp(`applied ${second}[^]*: reloaded`));
      project.sql("insert into people (name, email) values ('Ada', 'a@b') returning id");
      const { body } = await server.fetch("/");
      assert.deepEqual(body, [{ id: 1, name: "Ada", email: "a@b" }]);
    });
  });

  test("tenants: those that do not fit are named, --migrate brings all, and those that come later", async () => {
    const project = new Project();
    project.generate("first");
    project.done("migrate", "--db", "app.db");
    const tenants = join(project.folder, "tenants");
    mkdirSync(tenants);
    for (const name of ["ada", "bob", "eve"]) {
      copyFileSync(project.database, join(tenants, `${name}.db`));
    }
    const data = ["--tenants", tenants, "--tenant-from", "path"];
    await project.served(data);
    project.declare(SECOND);
    const second = project.generate("second");
    const said = project.refused(...data);
    assert.match(said, /tenant ada: .*ada\.db is not what/);
    assert.match(said, new RegExp(`has not seen 1 migration:\n {2}${second}\n`));
    assert.match(said, /the same goes for bob, eve\n/);
    const served = await project.served([...data, "--migrate"], async (server) => {
      copyFileSync(project.database, join(tenants, "late.db"));
      writeFileSync(join(tenants, "new.db"), "");
      for (const name of ["ada", "bob", "eve", "late", "new"]) {
        const { status, body } = await server.fetch(`/${name}/`);
        assert.deepEqual([status, body], [200, []], name);
      }
    });
    assert.equal(served.split(`applied ${second}`).length - 1, 5);
    // Without it, one that comes later and does not fit is not served.
    await project.served(data, async (server) => {
      copyFileSync(project.database, join(tenants, "old.db"));
      assert.equal((await server.fetch("/old/")).status, 503);
      assert.equal((await server.fetch("/ada/")).status, 200);
    });
  });

  test("a tenant whose file is broken does not keep the others from being served", async () => {
    const project = new Project();
    const tenants = join(project.folder, "tenants");
    mkdirSync(tenants);
    project.done("push", project.app, "--db", "tenants/ada.db");
    writeFileSync(
      join(tenants, "broken.db"),
      "no database at all, but long enough to be one. ".repeat(100),
    );
    const data = ["--tenants", tenants, "--tenant-from", "path"];
    const said = await project.served(data, async (server) => {
      assert.equal((await server.fetch("/ada/")).status, 200);
    });
    assert.match(said, /tenant broken: /);
  });
});
