// The packed package, as npm would install it, beside the tools that its users have. Run it with
// `npm run compat -w schemascript`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { eq } from "drizzle-orm";
import { createInsertSchema, createSelectSchema } from "drizzle-zod";
import { Hono } from "hono";
import { sValidator } from "@hono/standard-validator";
import { publint } from "publint";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const work = mkdtempSync(join(here, "node_modules", ".compat-"));
after(() => rmSync(work, { recursive: true }));

const run = (command, args, options = {}) => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: work,
    encoding: "utf8",
    ...options,
  });
  assert.equal(status, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
};
const bin = (name) => join(here, "node_modules", ".bin", name);

// Installed from the tarball: drizzle-orm is then the one beside it, as it is for a user.
const [{ filename }] = JSON.parse(
  run("npm", ["pack", "--json", "--pack-destination", work], { cwd: root }),
);
const tarball = join(work, filename);
const installed = join(here, "node_modules", "schemascript");
rmSync(installed, { recursive: true, force: true });
mkdirSync(installed);
run("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);

const { build } = createRequire(join(root, "package.json"))("esbuild");
cpSync(join(here, "schema.ts"), join(work, "schema.ts"));
await build({
  entryPoints: [join(work, "schema.ts")],
  outfile: join(work, "schema.mjs"),
  format: "esm",
  bundle: true,
  packages: "external",
});
const { users, posts, Users } = await import(join(work, "schema.mjs"));
const { schemaStatements } = await import("schemascript");
const { databaseOver } = await import("schemascript/internal");
const { TestHost } = await import(join(root, "dist", "test", "support.js"));

test("drizzle-kit generates the same tables as we do", () => {
  run(bin("drizzle-kit"), [
    "generate",
    "--dialect",
    "sqlite",
    "--schema",
    "./schema.ts",
    "--out",
    "./drizzle",
  ]);
  const generated = readdirSync(join(work, "drizzle")).filter((name) => name.endsWith(".sql"));
  assert.equal(generated.length, 1);
  const kit = new Sqlite(":memory:");
  kit.exec(readFileSync(join(work, "drizzle", generated[0]), "utf8"));
  const own = new Sqlite(":memory:");
  for (const statement of schemaStatements()) own.exec(statement);
  for (const name of ["users", "posts", "votes"]) {
    const facts = (database) => ({
      columns: database
        .pragma(`table_xinfo(${name})`)
        // Two spellings of one default, and of the types.
        .map((column) => ({
          ...column,
          type: column.type.toUpperCase(),
          notnull: column.pk ? 1 : column.notnull,
          dflt_value: plain(column.dflt_value),
        })),
      keys: database
        .pragma(`foreign_key_list(${name})`)
        .map(({ id: _, ...key }) => key)
        .sort(byText),
      indexes: database
        .pragma(`index_list(${name})`)
        .filter(({ origin }) => origin !== "pk")
        .map(({ name: index, unique }) => [
          unique,
          database.pragma(`index_info(${index})`).map((each) => each.name),
        ])
        .sort(byText),
    });
    assert.ok(facts(own).columns.length > 1);
    assert.deepEqual(facts(kit), facts(own));
  }
});
const plain = (text) =>
  text === null ? null : ({ true: "1", false: "0" }[text] ?? text.replace(/^\((.*)\)$/s, "$1"));
const byText = (one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);

const ROWS = [
  { name: "Ada" },
  {
    name: "Bob \u{1f600}",
    email: "b@x",
    role: "admin",
    level: "high",
    big: 2n ** 53n - 2n,
    score: -0.25,
    active: false,
    avatar: new Uint8Array([0, 1, 255]),
    at: new Date("1969-12-31T23:59:59.999Z"),
    extra: { a: [1, 2] },
    tags: ["x", "ü"],
    point: [1, -2],
  },
];

test("better-sqlite3 through Drizzle gives the rows that the sandbox's driver gives", async () => {
  const sqlite = new Sqlite(":memory:");
  const host = new TestHost();
  for (const statement of schemaStatements()) {
    sqlite.exec(statement);
    host.sqlite.run(statement);
  }
  const answers = async (db) => {
    const at = new Date(5);
    for (const row of ROWS) await db.insert(users).values({ at, ...row });
    await db.insert(posts).values([
      { authorId: 1, title: "a" },
      { authorId: 2, title: "b", parentId: 1 },
    ]);
    await db
      .update(users)
      .set({ score: 9, tags: ["new"] })
      .where(eq(users.id, 1));
    await db.delete(users).where(eq(users.name, "nobody"));
    return {
      users: await db.select().from(users),
      joined: await db.select().from(posts).innerJoin(users, eq(users.id, posts.authorId)),
      count: await db.$count(posts),
      returned: await db.insert(users).values({ name: "Eve", at }).returning(),
    };
  };
  const own = await answers(databaseOver(host.call)());
  assert.deepEqual(await answers(drizzle(sqlite)), own);
  assert.equal(own.users[1].shout, "BOB \u{1f600}");
  assert.deepEqual(own.users[1].extra, { a: [1, 2] });
});

test("drizzle-zod makes schemas of a table", () => {
  const insert = createInsertSchema(users);
  assert.ok(insert.safeParse({ name: "Ada", tags: [] }).success);
  for (const row of ROWS)
    assert.ok(insert.safeParse(row).success, JSON.stringify(insert.safeParse(row).error));
  assert.ok(!insert.safeParse({ name: 5 }).success);
  assert.ok(!insert.safeParse({ name: "Ada", role: "boss" }).success);
  assert.ok(
    createSelectSchema(posts).safeParse({ id: 1, authorId: 1, parentId: null, title: "a" }).success,
  );
});

test("a table is a validator for Hono, which takes Standard Schemas", async () => {
  const app = new Hono().post("/", sValidator("json", Users), (context) =>
    context.json(context.req.valid("json")),
  );
  const post = (body) =>
    app.request("/", {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  const good = await post({ name: "Ada" });
  assert.deepEqual([good.status, await good.json()], [200, { name: "Ada" }]);
  const bad = await post({ name: "secret", score: "secret" });
  assert.equal(bad.status, 400);
  const { error } = await bad.json();
  assert.deepEqual(
    error.map(({ path, rule }) => [path, rule]),
    [[["score"], "type"]],
  );
});

test("publint has nothing to say", async () => {
  const { messages } = await publint({ pkgDir: installed, strict: true });
  assert.deepEqual(messages, []);
});

test("arethetypeswrong finds the types right for those who can import ESM", () => {
  run(bin("attw"), [tarball, "--profile", "esm-only"]);
});

test("only drizzle-orm is a dependency, and no test is in the package", () => {
  const { dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(installed, "package.json"), "utf8"),
  );
  assert.deepEqual(
    [Object.keys(dependencies ?? {}), peerDependencies],
    [["drizzle-orm"], undefined],
  );
  const files = readdirSync(installed, { recursive: true });
  assert.deepEqual(
    files.filter((name) => /\btest\b/.test(name)),
    [],
  );
  assert.ok(files.includes("dist/outputs/methods.js"));
});
