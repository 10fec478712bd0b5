// Migrations that drizzle-kit makes and drizzle-orm carries out, taken over by the program.
// SCHEMASCRIPT_PROGRAM names it; it is the build's unless that is set.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";

const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(
  process.env.SCHEMASCRIPT_PROGRAM ?? join(here, "../../../../build/bin/schemascript"),
);
const work = mkdtempSync(join(here, "node_modules", ".from-drizzle-"));
after(() => rmSync(work, { recursive: true }));

const run = (command, ...args) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: work, encoding: "utf8" });
  assert.equal(status, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
};
/** What drizzle-kit makes of a schema file, or with `--custom` of nothing. */
const generate = (...words) =>
  run(
    join(here, "node_modules", ".bin", "drizzle-kit"),
    ...["generate", "--dialect", "sqlite", "--schema", "./schema.ts", "--out", "./drizzle"],
    ...words,
  );
const declare = (columns, others = "") =>
  writeFileSync(
    join(work, "schema.ts"),
    `import { sql } from "drizzle-orm";
     import { check, index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
     export const users = sqliteTable("users", {
       id: integer().primaryKey({ autoIncrement: true }),
       email: text().notNull().unique(),
       ${columns}
     });
     ${others}`,
  );
const POSTS = `export const posts = sqliteTable("posts", {
  id: integer().primaryKey(),
  author: integer().notNull().references(() => users.id, { onDelete: "cascade" }),
  score: real().default(0.5),
}, (t) => [index("posts_author").on(t.author), check("positive", sql\`\${t.score} >= 0\`)]);`;

const schemaOf = (file) => {
  const database = new Sqlite(file, { readonly: true });
  const names = database
    .prepare(
      "select type, name, sql from sqlite_schema where name not like '\\_\\_%' escape '\\'" +
        " and name not like 'sqlite%' order by 1, 2",
    )
    .all();
  database.close();
  return names;
};

test("a database that drizzle-orm has brought halfway is brought to the end, with its rows", () => {
  declare("name: text(),");
  generate("--name", "init");
  declare("name: text(), age: integer().default(7),", POSTS);
  generate("--name", "posts");
  const halfway = join(work, "app.db");
  const database = new Sqlite(halfway);
  migrate(drizzle(database), { migrationsFolder: join(work, "drizzle") });
  database.exec("insert into users (email, name) values ('a@b', 'Ada'), ('c@d', null)");
  database.exec("insert into posts (author) values (1), (1), (2)");
  database.close();
  // The table is rebuilt, and its children stay; and a change of data.
  declare("name: text().notNull().default(''), age: integer().default(7),", POSTS);
  generate("--name", "custom", "--custom");
  const { entries } = JSON.parse(
    readFileSync(join(work, "drizzle", "meta", "_journal.json"), "utf8"),
  );
  writeFileSync(
    join(work, "drizzle", `${entries.at(-1).tag}.sql`),
    "UPDATE users SET name = 'nobody' WHERE name IS NULL;",
  );
  generate("--name", "rebuild");

  const said = run(program, "migrate", "--from-drizzle", "drizzle", "--db", "app.db");
  assert.match(
    said,
    /^(wrote migrations\/\d{14}_000\d_\w+\n){4}recorded \d+_0000_init\nrecorded \d+_0001_posts\npending \d+_0002_custom\npending \d+_0003_rebuild\n$/,
  );
  const again = run(program, "migrate", "--from-drizzle", "drizzle", "--db", "app.db", "--json");
  assert.deepEqual(
    Object.values(JSON.parse(again)).map((list) => list.length),
    [0, 0, 2],
  );
  run(program, "migrate", "--db", "app.db");
  const { status } = spawnSync(program, ["status", "--db", "app.db"], { cwd: work });
  assert.equal(status, 0);

  // drizzle-orm has led a second one to the same.
  const other = join(work, "other.db");
  const all = new Sqlite(other);
  migrate(drizzle(all), { migrationsFolder: join(work, "drizzle") });
  all.close();
  assert.deepEqual(schemaOf(halfway), schemaOf(other));

  const migrated = new Sqlite(halfway);
  assert.deepEqual(migrated.prepare("select name, age from users order by id").all(), [
    { name: "Ada", age: 7 },
    { name: "nobody", age: 7 },
  ]);
  assert.equal(migrated.prepare("select count(*) as n from posts").get().n, 3);
  assert.equal(migrated.pragma("integrity_check", { simple: true }), "ok");
  migrated.close();

  run(program, "rollback", "--db", "app.db");
  run(program, "migrate", "--db", "app.db");
  assert.deepEqual(schemaOf(halfway), schemaOf(other));
});
