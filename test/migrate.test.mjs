// Migrations as a user has them: `generate`, `migrate`, `rollback`, `status`, `merge`, with the public schemas of Chinook and
// Northwind changed in ten ways each, two processes at once, and processes that are killed.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript node --test test/migrate.test.mjs
//
// MIGRATE_KILLS says how often a migration is killed, MIGRATE_SEED repeats the moments.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { folder, here, program, Project, USERS } from "./migration-project.mjs";
import { randomFrom } from "./random.mjs";

test("a schema changes, and goes back with its values", () => {
  const project = new Project();
  project.declare(USERS);
  const { text } = project.generate();
  assert.match(text, /^wrote migrations\/\d{14}_step1\n  users \(safe\): it is new\n/);
  assert.match(project.migrate(), /^apply \d{14}_step1 \(\d+ms\)\n$/);
  project.sql("insert into users values (1, 'a', 36), (2, 'b', null)");
  project.declare(
    USERS.replace('"users", (prop)', '"members", (prop)')
      .replace("email: prop.text().unique()", 'mail: prop.text().unique().was("email")')
      .replace("  age: prop.integer().optional(),\n", "")
      .replace("}));", '}), { was: "users" });'),
  );
  assert.match(
    project.refused(1, "generate", "app.ts"),
    /would lose what these hold:\n  members\.age\n.*\n.*--allow-loss members\.age\n$/,
  );
  project.generate("--allow-loss", "members.age");
  const before = project.rows();
  assert.match(
    project.migrate("--dry-run"),
    /^would apply .*\n  users -> members: 2 rows\n  lost, and allowed: users\.age, 1 row\n$/,
  );
  assert.deepEqual(project.rows(), before);
  project.migrate();
  assert.equal(project.sql("select id, mail from members order by 1"), "1|a\n2|b");
  project.check();
  project.rollback();
  assert.deepEqual(project.rows(), before);
  const report = JSON.parse(project.migrate("--json"));
  assert.deepEqual(report.rehearsal.losses, [{ what: "users.age", rows: 1 }]);
  assert.deepEqual(report.rehearsal.tables, [
    { table: "members", was: "users", rowsBefore: 2, rowsAfter: 2, rowsChanged: 0, sample: "" },
  ]);
  assert.match(project.migrate(), /^app\.db is up to date\n$/);
  assert.match(project.done("generate", "app.ts"), /nothing was written\n$/);
  project.check();
});

test("what is refused says what to do", () => {
  const project = new Project();
  project.declare('console.log("no tables");\n');
  assert.match(project.refused(2, "generate", "app.ts"), /declares no tables; nothing was written/);
  project.declare(USERS);
  assert.match(
    project.refused(2, "generate", "app.ts", "--name", "../x"),
    /cannot be the name of a migration/,
  );
  const { id } = project.generate();
  assert.match(
    project.refused(2, "migrate"),
    /migrate needs a database: schemascript migrate --db FILE/,
  );
  assert.match(
    project.refused(2, "migrate", "--db", "app.db", "--to", "nothing"),
    /there is no migration nothing in migrations/,
  );
  assert.match(project.refused(2, "rollback", "--db", "no.db"), /there is no database no\.db/);
  assert.match(
    project.refused(2, "migrate", "--db", "app.db", "--keep-days", "x"),
    /'x' is not a number of days/,
  );
  project.done("push", "app.ts", "--db", "app.db");
  assert.match(
    project.refused(1, "migrate", "--db", "app.db"),
    /has a schema, and no record of migrations:\n  index users_email_unique: not wanted\n  table users: not wanted\n.*--baseline ID\n$/,
  );
  assert.equal(project.migrate("--baseline", "step1"), `recorded ${id}\n`);
  project.check();
  project.sql("insert into users (id, email) values (1, 'a'), (2, 'b'), (3, 'c')");
  project.declare(USERS.replace("prop.integer().optional()", "prop.integer()"));
  project.generate();
  assert.match(
    project.refused(1, "migrate", "--db", "app.db"),
    /in the rehearsal: statement \d of \d: rows of users do not fit what it becomes\n  3 rows \(id 1, id 2, id 3\): users\.age must not be NULL .*\nthe database itself was not touched\n$/,
  );
  project.sql("alter table users add column nick text");
  assert.match(
    project.refused(1, "migrate", "--db", "app.db"),
    /was changed by hand; .*\n  table users: - column nick TEXT/,
  );
  const { status, stdout } = project.run("status", "--db", "app.db");
  assert.equal(status, 1);
  assert.match(
    stdout,
    /^applied  \d+_step1  .*\npending  \d+_step2\nthe schema was changed by hand:\n/,
  );
});

test("two branches are joined, and the late one is carried out", () => {
  const project = new Project();
  project.declare(USERS);
  project.generate();
  const base = join(folder, "base");
  cpSync(join(project.folder, "migrations"), base, { recursive: true });
  project.declare(USERS.replace("optional(),", 'optional(),\n  nick: prop.text().default("x"),'));
  project.generate();
  project.migrate();
  const other = new Project();
  other.ids = 10;
  cpSync(base, join(other.folder, "migrations"), { recursive: true });
  const POSTS =
    'export const posts = Table("posts", (prop) => ({ id: prop.integer().identifier() }));\n';
  other.declare(USERS + POSTS);
  const { id } = other.generate();
  cpSync(join(other.folder, "migrations", id), join(project.folder, "migrations", id), {
    recursive: true,
  });
  assert.match(
    project.refused(1, "migrate", "--db", "app.db"),
    /no end in common: .*schemascript merge FILE\.ts/,
  );
  project.declare(
    USERS.replace("optional(),", 'optional(),\n  nick: prop.text().default("x"),') + POSTS,
  );
  assert.match(project.refused(1, "generate", "app.ts"), /no end in common/);
  project.done("merge", "app.ts");
  assert.match(project.migrate(), new RegExp(`^apply ${id} .*\napply \\d+_merge `));
  project.check();
  assert.match(project.refused(2, "merge", "app.ts"), /there is nothing to merge/);
});

test("diff compares schema files, databases, migrations and folders of them", () => {
  const project = new Project();
  project.declare(USERS);
  const { id } = project.generate();
  project.migrate();
  const sides = ["app.ts", "app.db", "migrations", `migrations/${id}`, `migrations/${id}/`];
  for (const from of sides)
    for (const to of sides) assert.equal(project.done("diff", from, to), "");
  project.declare(USERS.replace("age: prop.integer()", "age: prop.real()"));
  for (const side of sides.slice(1)) {
    const { status, stdout } = project.run("diff", "app.ts", side);
    assert.equal(stdout, "table users: + column age REAL\ntable users: - column age INTEGER\n");
    assert.equal(status, 1);
  }
  assert.match(project.refused(2, "diff", "app.ts"), /diff compares two/);
  assert.match(project.refused(2, "diff", "app.ts", "nothing.db"), /there is no such file/);
  assert.match(project.refused(2, "diff", "app.ts", "app.db", "x"), /'x' is too much/);
});

// Of the text that `pull` writes: what is replaced, by what, and what may be lost.
const CHINOOK = [
  [
    "a column",
    /(artistId: prop\.integer\("ArtistId"\)\.identifier\(\),)/,
    '$1\n    founded: prop.integer("Founded").optional(),',
  ],
  [
    "a column with a default",
    /(fax: prop\.text\("Fax"\)[^\n]*\n)(    email: prop\.text\("Email"\)\.declaredAs\("NVARCHAR\(60\)"\),)/,
    '$1$2\n    points: prop.integer("Points").default(3),',
  ],
  [
    "a column's name",
    'composer: prop.text("Composer")',
    'composer: prop.text("Writer").was("Composer")',
  ],
  [
    "a table's name",
    '"MediaType",\n',
    '"Format",\n',
    [],
    /(mediaTypeId: prop\.integer\("MediaTypeId"\)\.identifier\(\),[^}]*\}\),\n  \{ )/,
    '$1was: "MediaType", ',
  ],
  ["no column", /    billingState: [^\n]*\n/, "", ["Invoice.BillingState"]],
  ["no table", /export const playlistTrack = [\s\S]*?\n\);\n/, "", ["PlaylistTrack"]],
  [
    "a unique index",
    'lastName: prop.text("LastName").declaredAs("NVARCHAR(20)"),\n    firstName: prop.text("FirstName").declaredAs("NVARCHAR(20)"),\n    title',
    'lastName: prop.text("LastName").declaredAs("NVARCHAR(20)").index(),\n    firstName: prop.text("FirstName").declaredAs("NVARCHAR(20)"),\n    title',
  ],
  [
    "a required column",
    /(genreId: prop\.integer\("GenreId"\)\.identifier\(\),\n    name: prop\.text\("Name"\)\.declaredAs\("NVARCHAR\(120\)"\))\.optional\(\)/,
    "$1",
  ],
  ["a type", 'prop.real("Total").declaredAs("NUMERIC(10,2)")', 'prop.real("Total")'],
  [
    "a cascade",
    "references(() => artist.artistId)",
    'references(() => artist.artistId, { onDelete: "cascade" })',
  ],
];
const NORTHWIND = [
  [
    "a column",
    /(categoryName: prop\.text\("CategoryName"\)\.declaredAs\("NVARCHAR\(15\)"\),)/,
    '$1\n    icon: prop.text("Icon").optional(),',
  ],
  [
    "a column with a default",
    /(companyName: prop\.text\("CompanyName"\)\.declaredAs\("NVARCHAR\(40\)"\),)/,
    '$1\n    rank: prop.integer("Rank").default(1),',
  ],
  ["a column's name", 'prop.text("ContactTitle")', 'prop.text("ContactRole").was("ContactTitle")'],
  [
    "a table's name",
    /("Regions",\n[\s\S]*?\{ )(strict: false)/,
    (all) =>
      all.replace('"Regions"', '"Areas"').replace("strict: false", 'strict: false, was: "Regions"'),
  ],
  ["no column", /    notes: prop\.text\("Notes"\)[^\n]*\n/, "", ["Employees.Notes"]],
  ["no table", /export const customerCustomerDemo = [\s\S]*?\n\);\n/, "", ["CustomerCustomerDemo"]],
  [
    "an index",
    'customerDesc: prop.text("CustomerDesc").declaredAs("NTEXT").optional()',
    'customerDesc: prop.text("CustomerDesc").declaredAs("NTEXT").optional().index()',
  ],
  ["a type", 'prop.text("CategoryName").declaredAs("NVARCHAR(15)")', 'prop.text("CategoryName")'],
  ["no index", /      \{ on: \["city"\], name: "CustomersCity" \},\n/, ""],
  [
    "a check",
    "checks: { CK_Birthdate: sql`[BirthDate] < '2100-01-01'` }",
    "checks: { CK_Birthdate: sql`[BirthDate] < '2200-01-01'` }",
  ],
];

for (const [name, changes] of [
  ["chinook", CHINOOK],
  ["northwind", NORTHWIND],
]) {
  test(`${name}, changed in ${changes.length} ways, there and back`, async (t) => {
    const project = new Project();
    project.sql(readFileSync(join(here, "migrate", `${name}.sql`), "utf8"));
    const pulled = project.done("pull", "--db", "app.db");
    project.declare(pulled);
    const { id } = project.generate();
    project.migrate("--baseline", id);
    project.check();
    const before = project.rows();
    assert.ok(Object.values(before).flat().length > 20);
    for (const [what, from, to, losses = [], alsoFrom, alsoTo] of changes) {
      await t.test(what, () => {
        let changed = pulled.replace(from, to);
        if (alsoFrom) changed = changed.replace(alsoFrom, alsoTo);
        assert.notEqual(changed, pulled, "nothing was replaced");
        project.declare(changed);
        const allowed = losses.flatMap((loss) => ["--allow-loss", loss]);
        const made = project.generate(...allowed);
        project.migrate();
        project.check();
        const after = project.rows();
        const names = { Format: "MediaType", Areas: "Regions" };
        for (const [table, rows] of Object.entries(after)) {
          assert.equal(rows.length, before[names[table] ?? table].length, table);
        }
        // What came with it may go again: each row has a value there.
        const { stderr } = project.run("rollback", "--db", "app.db", "--dry-run");
        const came = [...stderr.matchAll(/--allow-loss (\S+)/g)].flatMap(([, loss]) => [
          "--allow-loss",
          loss,
        ]);
        project.rollback(...came);
        assert.deepEqual(project.rows(), before);
        project.run("status", "--db", "app.db");
        rmSync(join(project.folder, "migrations", made.id), { recursive: true });
        project.check();
      });
    }
  });
}

// 100,000 rows take long enough to be in the middle of.
function largeProject() {
  const project = new Project();
  project.declare(USERS);
  project.generate();
  project.migrate();
  project.sql(
    "with recursive n(i) as (values (1) union all select i + 1 from n limit 100000)" +
      " insert into users select i, 'user' || i || '@example.org', i % 90 from n",
  );
  project.declare(USERS.replace("prop.integer().optional()", "prop.integer().default(0)"));
  project.generate();
  return project;
}

test("of two processes at once one migrates, and the other waits", async () => {
  const project = largeProject();
  const outputs = await Promise.all(
    [1, 2].map(
      () =>
        new Promise((done) => {
          const child = spawn(program, ["migrate", "--db", "app.db"], { cwd: project.folder });
          let text = "";
          child.stdout.on("data", (data) => (text += data));
          child.stderr.on("data", (data) => (text += data));
          child.on("close", (code) => done(`${code} ${text}`));
        }),
    ),
  );
  outputs.sort();
  assert.match(outputs[0], /^0 app\.db is up to date\n$/);
  assert.match(outputs[1], /^0 apply \d+_step2 /);
  assert.equal(project.sql("select count(*) from users"), "100000");
  project.check();
});

test("a migration that is killed leaves the old schema or the new one, and the next run goes on", async () => {
  const project = largeProject();
  const kills = Number(process.env.MIGRATE_KILLS ?? 12);
  const seed = Number(process.env.MIGRATE_SEED ?? Date.now() % 1_000_000);
  console.log(`MIGRATE_SEED=${seed}`);
  const random = randomFrom(seed);
  const content = project.sql("select count(*), sum(age) from users");
  const begun = Date.now();
  project.migrate();
  const whole = Date.now() - begun;
  project.rollback();
  let cut = 0;
  for (let index = 0; index < kills; ++index) {
    const child = spawn(program, ["migrate", "--db", "app.db"], {
      cwd: project.folder,
      stdio: "ignore",
    });
    const ended = new Promise((done) => child.on("close", (code, signal) => done(signal)));
    await new Promise((done) => setTimeout(done, random() * whole));
    child.kill("SIGKILL");
    if ((await ended) === "SIGKILL") ++cut;
    assert.equal(project.sql("pragma integrity_check"), "ok");
    const isNew = project
      .sql("select sql from sqlite_schema where name = 'users'")
      .includes("DEFAULT 0");
    const records = project.sql("select count(*) from __schemascript_migrations");
    assert.equal(records, isNew ? "2" : "1", `seed ${seed}`);
    assert.equal(project.sql("select count(*), sum(age) from users"), content);
    project.migrate();
    project.check();
    project.rollback();
  }
  assert.ok(cut > 0, "none was killed in time");
});
