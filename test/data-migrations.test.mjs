// The code of migrations, up.ts and down.ts: what it can do, how it fails, and that nothing of a failed one stays.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript node --test test/data-migrations.test.mjs
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { program, Project } from "./migration-project.mjs";
import { randomFrom } from "./random.mjs";

const PEOPLE = `import { Table } from "schemascript";
export const people = Table("people", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text(),
}));
`;
const SPLIT = PEOPLE.replace(
  "name: prop.text(),",
  "name: prop.text(),\n  first: prop.text().default(''),\n  last: prop.text().default(''),",
);
const IMPORTS = `import { sql } from "drizzle-orm";
import { database } from "schemascript";
const db = database();
`;
const SPLITTING = `${IMPORTS}
const rows = await db.values<[number, string]>(sql\`select id, name from people\`);
console.log("splitting", rows.length);
for (const [id, name] of rows) {
  const [first, last] = name.split(" ");
  await db.run(sql\`update people set first = \${first}, last = \${last} where id = \${id}\`);
}
`;

/** People in a database, and a migration with data that waits for its code. */
class People extends Project {
  constructor(schema = SPLIT) {
    super();
    this.declare(PEOPLE);
    this.generate();
    this.migrate();
    this.sql("insert into people values (1, 'Ada Lovelace'), (2, 'Alan Turing')");
    this.declare(schema);
    const { id, text } = this.generate("--data");
    this.id = id;
    assert.match(text, /write the changes of data into up\.ts and down\.ts, or delete them\n$/);
  }
  code(text, file = "up.ts") {
    writeFileSync(join(this.folder, "migrations", this.id, file), text);
  }
  people() {
    return this.sql("select * from people order by id");
  }
  /** The code fails, with this exit code, and the database is as it was. Answers standard error. */
  fails(text, status = 1, ...words) {
    const before = this.people();
    this.code(text);
    const message = this.refused(status, "migrate", "--db", "app.db", ...words);
    assert.equal(this.people(), before);
    assert.equal(this.sql("select count(*) from __schemascript_migrations"), "1");
    assert.match(this.refusedStatus(), /pending/);
    return message;
  }
  refusedStatus() {
    const { status, stdout } = this.run("status", "--db", "app.db");
    assert.equal(status, 1);
    return stdout;
  }
}

test("code changes data behind the SQL, in the rehearsal first, and leads back", () => {
  const project = new People();
  project.code(SPLITTING);
  project.code(`${IMPORTS}await db.run(sql\`update people set name = name || '!'\`);`, "down.ts");

  const tried = project.run("migrate", "--db", "app.db", "--dry-run");
  assert.equal(tried.stderr, "splitting 2\n");
  assert.match(tried.stdout, /^would apply \d+_step2 .*\n {2}people: 2 rows\n$/);
  assert.equal(project.people(), "1|Ada Lovelace\n2|Alan Turing");

  const { status, stdout, stderr } = project.run("migrate", "--db", "app.db", "--json");
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "splitting 2\n");
  assert.equal(JSON.parse(stdout).migrations[0].id, project.id);
  assert.equal(project.people(), "1|Ada Lovelace|Ada|Lovelace\n2|Alan Turing|Alan|Turing");
  project.check();

  // What was split goes with its columns: they hold what is nowhere else.
  project.rollback("--allow-loss", "people.first", "--allow-loss", "people.last");
  assert.equal(project.people(), "1|Ada Lovelace!\n2|Alan Turing!");
});

test("what a template begins with does nothing", () => {
  const project = new People(PEOPLE);
  project.migrate();
  project.rollback();
  assert.equal(project.people(), "1|Ada Lovelace\n2|Alan Turing");
});

test("code may import what lies beside it, and use the app's tables", () => {
  const project = new People();
  writeFileSync(
    join(project.folder, "names.ts"),
    "export const firstOf = (name: string): string => name.split(' ')[0]!;\n",
  );
  project.code(`import { eq } from "drizzle-orm";
import { database } from "schemascript";
import { people } from "../../app.ts";
import { firstOf } from "../../names.ts";
const db = database({ people });
for (const { id, name } of await db.query.people.findMany()) {
  await db.update(people).set({ first: firstOf(name) }).where(eq(people.id, id));
}
`);
  project.migrate();
  assert.equal(project.people(), "1|Ada Lovelace|Ada|\n2|Alan Turing|Alan|");
});

test("what the code throws names the migration, the file and the line, and undoes all", () => {
  const project = new People();
  const message = project.fails(
    `${SPLITTING}\nif (rows.length === 2) throw new Error("not these two");\n`,
  );
  assert.equal(
    message,
    `splitting 2
schemascript: ${project.id}, in the rehearsal: up.ts: Uncaught Error: not these two
  12 | if (rows.length === 2) throw new Error("not these two");
     |                                  ^
    at <anonymous> (migrations/${project.id}/up.ts:12:34)
the database itself was not touched
`,
  );
});

test("code that does not compile is told before anything else is done", () => {
  const project = new People();
  const message = project.fails("let x = ;", 2);
  assert.match(message, /up\.ts cannot be run:\nmigrations\/\d+_step2\/up\.ts:1:9: Unexpected ";"/);
  assert.doesNotMatch(message, /rehearsal/);
});

test("a change that loses rows or values is seen by the rehearsal", () => {
  const project = new People();
  const lost = `${IMPORTS}await db.run(sql\`delete from people where id = 2\`);`;
  assert.match(project.fails(lost), /rows would be lost:\n {2}people: 2 rows before, 1 after\n/);
  project.migrate("--allow-loss", "people");
  assert.equal(project.people(), "1|Ada Lovelace||");
});

test("neither the transaction, nor settings, nor the host's tables are the code's", () => {
  const project = new People();
  for (const [statement, message] of [
    ["commit", /commit|transaction/i],
    ["rollback", /rollback|transaction/i],
    ["attach 'other.db' as other", /not allowed|not authorized|ATTACH/i],
    ["pragma foreign_keys = on", /not allowed|pragma/i],
    ["delete from __schemascript_migrations", /__schemascript_migrations/],
    ["update __schemascript_migrations set hash = ''", /__schemascript_migrations/],
    ["vacuum into 'copy.db'", /not allowed|vacuum/i],
  ]) {
    const text = project.fails(`${IMPORTS}await db.run(sql.raw(${JSON.stringify(statement)}));`);
    assert.match(text, message, statement);
  }
});

test("what ends SQLite's transaction ends the migration, also when it is caught", () => {
  const project = new People();
  const insert = "insert or rollback into people (id, name) values (1, 'again')";
  const text = project.fails(
    `${IMPORTS}try { await db.run(sql.raw(${JSON.stringify(insert)})); } catch {}
await db.run(sql\`update people set name = 'lost'\`);`,
  );
  assert.match(text, /transaction/);
});

test("a transaction that is left open is a failure, and so is a promise that never settles", () => {
  const project = new People();
  assert.match(
    project.fails(`${IMPORTS}
let begun;
const begins = new Promise((done) => (begun = done));
void db.transaction(async (tx) => {
  await tx.run(sql\`update people set name = 'lost'\`);
  begun();
  await new Promise(() => {});
});
await begins;`),
    /up\.ts: .*transaction that the script left open was rolled back/,
  );
  assert.match(project.fails("await new Promise(() => {});"), /never settles/);
});

test("memory has a limit, and says how to raise it", () => {
  const project = new People();
  const text = project.fails(
    "const all = []; for (;;) all.push(new Array(1000).fill(7));",
    3,
    "--memory-limit",
    "16mb",
  );
  assert.match(text, /memory limit of 16mb was exceeded \(--memory-limit\)/);
});

/** A migration that gets a signal after so many milliseconds. */
async function signalled(project, signal, milliseconds) {
  const child = spawn(program, ["migrate", "--db", "app.db"], {
    cwd: project.folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (data) => (said += data));
  const ended = new Promise((done) => child.on("close", (status, by) => done({ status, by })));
  await new Promise((done) => setTimeout(done, milliseconds));
  child.kill(signal);
  return { ...(await ended), said };
}

test("Ctrl-C ends code that loops, and undoes it", async () => {
  for (const loop of [
    "for (;;) {}",
    "for (;;) await db.run(sql`update people set first = 'x'`);",
  ]) {
    for (const signal of ["SIGINT", "SIGTERM"]) {
      const project = new People();
      project.code(`${IMPORTS}await db.run(sql\`update people set name = 'lost'\`);\n${loop}`);
      const { status, said } = await signalled(project, signal, 1_000);
      assert.equal(status, 4, said);
      assert.equal(said, "schemascript: interrupted; nothing was changed\n");
      assert.equal(project.people(), "1|Ada Lovelace\n2|Alan Turing");
      project.code("");
      project.migrate();
      project.check();
    }
  }
});

test("code that is killed leaves everything as it was, or is done", async () => {
  const seed = Number(process.env.MIGRATE_SEED ?? Date.now() % 1_000_000);
  console.log(`MIGRATE_SEED=${seed}`);
  const random = randomFrom(seed);
  const project = new People();
  project.sql(`with recursive number(i) as (select 3 union all select i + 1 from number where i < 20000)
    insert into people select i, 'First' || i || ' Last' from number`);
  project.code(SPLITTING);
  const begun = Date.now();
  project.migrate();
  const whole = Date.now() - begun;
  const back = ["--allow-loss", "people.first", "--allow-loss", "people.last"];
  project.rollback(...back);
  let cut = 0;
  for (const signal of ["SIGKILL", "SIGINT", "SIGKILL", "SIGTERM", "SIGKILL", "SIGINT"]) {
    const { status, by } = await signalled(project, signal, random() * whole);
    if (by === "SIGKILL" || status === 4) ++cut;
    assert.equal(project.sql("pragma integrity_check"), "ok");
    const records = project.sql("select count(*) from __schemascript_migrations");
    const columns = project.sql("select count(*) from pragma_table_info('people')");
    assert.equal(columns, records === "2" ? "4" : "2", `seed ${seed}`);
    if (records === "2") {
      assert.equal(project.sql("select count(*) from people where first = ''"), "0");
    }
    project.migrate();
    assert.equal(project.sql("select count(*) from people where first <> ''"), "20000");
    project.check();
    project.rollback(...back);
  }
  assert.ok(cut > 0, "none was stopped in time");
});

test("a way back whose files are gone is refused, when it has code", () => {
  const project = new People();
  project.code(SPLITTING);
  project.migrate();
  rmSync(join(project.folder, "migrations", project.id), { recursive: true });
  const message = project.refused(1, "rollback", "--db", "app.db");
  assert.match(
    message,
    /the way back from \d+_step2 has a down\.ts, and its files are not in migrations/,
  );
});
