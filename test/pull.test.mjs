// `schemascript pull`: what it writes of a database is, pushed to that database, no change at all. The public schemas of Chinook
// and Northwind, what else databases have, names that want to be code, and random schemas.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript node --test test/pull.test.mjs
//
// PULL_SEED repeats random schemas, PULL_COUNT says how many there are.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { randomFrom } from "./random.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(
  process.env.SCHEMASCRIPT_PROGRAM ?? join(here, "../build/bin/schemascript"),
);
const folder = mkdtempSync(join(tmpdir(), "pull-test-"));
// For the compiler: as a project has it.
symlinkSync(join(here, "../node_modules"), join(folder, "node_modules"));
after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** A folder of its own with `the.db`, made by SQL. */
function databaseOf(sql) {
  const own = join(folder, `database-${++count}`);
  mkdirSync(own);
  const file = join(own, "the.db");
  const made = spawnSync("sqlite3", ["-bail", file], { input: sql, encoding: "utf8" });
  assert.equal(made.status, 0, `${made.stderr}\n${sql}`);
  return { own, file, schema: join(own, "schema.ts") };
}

function schemascript(...words) {
  return spawnSync(program, words, { encoding: "utf8", timeout: 60_000 });
}

/** Pulls, and holds that a push of it changes nothing. Answers the text. */
function pulled(sql, { file, schema } = databaseOf(sql)) {
  const pull = schemascript("pull", "--db", file, "--out", schema);
  assert.equal(pull.status, 0, `${pull.stderr}\n${sql}`);
  const text = readFileSync(schema, "utf8");
  const push = schemascript("push", schema, "--db", file);
  assert.equal(push.status, 0, `${push.stderr}\n${sql}\n${text}`);
  assert.match(push.stdout, /^unchanged /, `${sql}\n${text}`);
  assert.doesNotMatch(push.stdout, /^created/m, `${sql}\n${text}`);
  return text;
}

/** Holds that everything that was written can be queried. */
function opened({ own, file }) {
  const app = join(own, "app.ts");
  writeFileSync(
    app,
    `import { is, Table, View } from "drizzle-orm";
import { database } from "schemascript";
import * as schema from "./schema.ts";
const db = database(schema);
for (const each of Object.values(schema)) {
  if (is(each, Table) || is(each, View)) await db.select().from(each as never);
}
console.log("opened");`,
  );
  const run = schemascript("run", app, "--db", file);
  assert.equal(run.stderr, "");
  assert.equal(run.stdout, "opened\n");
}

const publicSchema = (name) => readFileSync(join(here, "migrate", `${name}.sql`), "utf8");

for (const [name, tables, views] of [
  ["chinook", 11, 0],
  ["northwind", 13, 16],
]) {
  test(`${name} is pulled, and queried by what was written`, () => {
    const made = databaseOf(publicSchema(name));
    const text = pulled(undefined, made);
    assert.equal(text.match(/ = Table\(/g).length, tables);
    assert.equal(text.match(/ = View\(/g)?.length ?? 0, views);
    assert.doesNotMatch(text, /statement:|Statement\(/);
    // Every table and view can be read, by its types.
    const app = join(made.own, "app.ts");
    writeFileSync(
      app,
      `import { is, Table, View } from "drizzle-orm";
import { database } from "schemascript";
import * as schema from "./schema.ts";
const db = database(schema);
let rows = 0;
for (const each of Object.values(schema)) {
  if (is(each, Table) || is(each, View)) rows += (await db.select().from(each as never)).length;
}
console.log(rows > 40);
${
  name === "chinook"
    ? `const albums = await db.query.album.findMany({ with: { artist: true }, where: (album, { eq }) => eq(album.albumId, 3) });
console.log(albums[0]?.artist.name);`
    : `console.log((await db.select().from(schema.salesByCategory)).length);`
}`,
    );
    const run = schemascript("run", app, "--db", made.file);
    assert.equal(run.stderr, "");
    assert.equal(run.stdout, name === "chinook" ? "true\nÑandú Trío\n" : "true\n4\n");
  });
}

const SCHEMAS = {
  "keys of all kinds": `
    CREATE TABLE a (id INTEGER PRIMARY KEY);
    CREATE TABLE b (id INTEGER PRIMARY KEY AUTOINCREMENT, x);
    CREATE TABLE c (id INTEGER, x TEXT, PRIMARY KEY (id AUTOINCREMENT));
    CREATE TABLE d (id INT PRIMARY KEY, x BIGINT);
    CREATE TABLE e (id TEXT PRIMARY KEY);
    CREATE TABLE f (id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE g (a TEXT, b INT NOT NULL, c REAL, PRIMARY KEY (c, a));
    CREATE TABLE h (a INTEGER PRIMARY KEY, b ANY) STRICT, WITHOUT ROWID;
    CREATE TABLE i (a INT, b TEXT, PRIMARY KEY (b, a)) STRICT;
    CREATE TABLE j (a INTEGER PRIMARY KEY DESC);
    CREATE TABLE k (a TEXT, b TEXT, PRIMARY KEY (a COLLATE NOCASE, b DESC));
    CREATE TABLE l (a INTEGER PRIMARY KEY ON CONFLICT REPLACE, b TEXT UNIQUE ON CONFLICT IGNORE);
    CREATE TABLE m (a INTEGER PRIMARY KEY DEFAULT 5);
    CREATE TABLE n (a INTEGER CONSTRAINT pk PRIMARY KEY NOT NULL UNIQUE CHECK (a > 0));
    CREATE TABLE o (a DATETIME PRIMARY KEY, b BLOB);
    CREATE TABLE p (a BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE q (a INTEGER, b INTEGER, PRIMARY KEY (a, b), UNIQUE (b, a), UNIQUE (b));`,
  "types that are no words of the language": `
    CREATE TABLE t (a, b NVARCHAR(160), c NUMERIC(10,2), d DATETIME, e DECIMAL( 10 , -2 ), f "quoted type", g BOOLEAN, h int,
      i UNSIGNED BIG INT, j DOUBLE PRECISION, k VARYING CHARACTER(255), l FLOAT, m JSON, n UUID, o ANY, p TEXT /* of */ KIND, q größe,
      r TIMESTAMP WITH TIME ZONE, s CLOB, "t" text, u Blob, v rEaL, w NULL, x XYZ NULL);
    CREATE TABLE s (a INT, b INTEGER, c REAL, d TEXT, e BLOB, f ANY, g int) STRICT;`,
  defaults: `
    CREATE TABLE t (a TEXT DEFAULT 'it''s', b TEXT DEFAULT "Double", c TEXT DEFAULT Bare, d INTEGER DEFAULT -1, e INTEGER DEFAULT +1,
      f REAL DEFAULT 0.5, g REAL DEFAULT 1.0, h REAL DEFAULT 1e3, i INTEGER DEFAULT 0x10, j INTEGER DEFAULT TRUE, k BLOB DEFAULT x'00FF',
      l TEXT DEFAULT CURRENT_TIMESTAMP, m TEXT DEFAULT (datetime('now')), n INTEGER DEFAULT (1 + 2), o TEXT DEFAULT NULL, p TEXT DEFAULT 5,
      q INTEGER DEFAULT '5', r INTEGER DEFAULT 9007199254740993, s REAL DEFAULT 0.00001, t REAL DEFAULT -0.25, u REAL DEFAULT 5,
      v INTEGER DEFAULT (unixepoch()), w TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), x DATETIME DEFAULT current_date,
      y TEXT DEFAULT 'a
line', z TEXT DEFAULT '', aa INTEGER DEFAULT 007, ab TEXT DEFAULT '\${x}\`\\', ac TEXT DEFAULT [In Brackets], ad INTEGER DEFAULT -0);
    CREATE TABLE s (id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), at INTEGER NOT NULL DEFAULT (unixepoch() * 1000 +
      CAST(substr(strftime('%f', 'now'), 4) AS INTEGER)), big INTEGER DEFAULT 1) STRICT;`,
  references: `
    CREATE TABLE parent (id INTEGER PRIMARY KEY, code TEXT UNIQUE, a INT, b INT, UNIQUE (a, b));
    CREATE UNIQUE INDEX parent_a ON parent (a);
    CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent, q INTEGER REFERENCES parent (id) ON DELETE CASCADE ON UPDATE SET NULL,
      r TEXT REFERENCES parent (code) DEFERRABLE INITIALLY DEFERRED, s INTEGER, t INTEGER REFERENCES parent (a) MATCH FULL,
      u INTEGER REFERENCES parent DEFERRABLE INITIALLY IMMEDIATE, v INTEGER REFERENCES child,
      CONSTRAINT named FOREIGN KEY (s) REFERENCES parent (id) ON DELETE RESTRICT, FOREIGN KEY (s) REFERENCES child (id),
      FOREIGN KEY (s, t) REFERENCES parent (a, b) ON UPDATE SET DEFAULT DEFERRABLE INITIALLY DEFERRED,
      CONSTRAINT "pair ""2""" FOREIGN KEY (t, u) REFERENCES "PARENT" (B, A));
    CREATE TABLE one (id INTEGER PRIMARY KEY, other INTEGER REFERENCES two (id));
    CREATE TABLE two (id INTEGER PRIMARY KEY, other INTEGER NOT NULL REFERENCES one);
    CREATE TABLE composite (a INTEGER, b TEXT, PRIMARY KEY (a, b));
    CREATE TABLE part (x INTEGER, y TEXT, FOREIGN KEY (x, y) REFERENCES composite);
    CREATE TABLE lost (a INTEGER REFERENCES nowhere, b INTEGER REFERENCES parent (b), c INTEGER REFERENCES part, d INTEGER REFERENCES parent (zzz));
    CREATE TABLE mixed (a INTEGER REFERENCES parent (code), b TEXT REFERENCES parent, c REFERENCES parent);
    CREATE TABLE odd (a INTEGER REFERENCES parent NOT DEFERRABLE INITIALLY DEFERRED);`,
  checks: `
    CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER CHECK (a IN (0, 1)), b TEXT NOT NULL CHECK (b IN ('x', 'it''s', '\`')), c INTEGER CHECK (c >= 1) CHECK (c <= 5),
      d TEXT CHECK (length(d) <= 9 AND instr(d, char(0)) = 0), e TEXT CHECK (e IS NULL OR json_valid(e)), f TEXT CHECK ((f IS NULL OR json_valid(f))),
      g TEXT CHECK (CASE WHEN json_valid(g) THEN json_type(g) = 'array' ELSE g IS NULL END), h REAL CHECK (h >= -0.5), i REAL CHECK (h < i),
      j INTEGER CHECK (j >= 5) CHECK (j <= 1), k INTEGER CONSTRAINT t_k_min CHECK (k >= 1), l INTEGER CONSTRAINT other CHECK (l >= 1),
      m INTEGER CHECK (m /* a comment ) */ > 1 -- and another
      ), n TEXT CHECK (n <> ')') CHECK (n <> '--'), o TEXT CONSTRAINT __proto__ CHECK (o GLOB '[a-z]*'),
      CONSTRAINT other CHECK (a < c), CHECK (a < 3), CONSTRAINT "Spaced name" CHECK (c > 1) CHECK ("id" > 0),
      CONSTRAINT constructor CHECK (c > 2), CONSTRAINT "1" CHECK (c > 3));
    CREATE TABLE s (id INTEGER PRIMARY KEY CHECK (id IN (0, 1)), b TEXT CONSTRAINT named CHECK (b IN ('x')), c TEXT DEFAULT 'y' CHECK (c IN ('x')),
      d TEXT CHECK (d IN ('x') OR 1), e TEXT CHECK (length(e) >= 0), f TEXT CHECK (f IN ('a', 'a')), CHECK (b IN (c))) STRICT;`,
  indexes: `
    CREATE TABLE t (a TEXT COLLATE NOCASE, b INTEGER, c TEXT, "d e" REAL, UNIQUE (a), UNIQUE (c COLLATE NOCASE));
    CREATE TABLE r (a TEXT COLLATE RTRIM UNIQUE, b TEXT COLLATE "binary", c TEXT COLLATE BINARY NOT NULL);
    CREATE INDEX t_a_index ON t (a);
    CREATE UNIQUE INDEX t_b_unique ON t (b);
    CREATE UNIQUE INDEX t_a_unique ON t (a);
    CREATE UNIQUE INDEX t_a_b_unique ON t (a, b);
    CREATE UNIQUE INDEX IF NOT EXISTS other ON t (a, b);
    CREATE INDEX i1 ON t (a DESC, b ASC, c COLLATE NOCASE, [d e]);
    CREATE INDEX i2 ON t (lower(c), b + 1) WHERE b > 3 AND c IS NOT NULL;
    CREATE INDEX "i ""3""" ON t (a, a);
    CREATE INDEX "on" ON "t" ("d e") /* here */ WHERE "d e" > 0 -- there
    ;
    CREATE INDEX T_B_index ON t (b);
    CREATE INDEX t_check_1 ON t (c);
    CREATE TABLE t2 (a CHECK (a > 0), CHECK (a < 9));
    CREATE INDEX t2_check ON t2 (a);`,
  "computed columns": `
    CREATE TABLE t (a INTEGER, b TEXT, c AS (a + 1), d INTEGER GENERATED ALWAYS AS (a * 2) STORED, e TEXT AS (lower(b) || ')') VIRTUAL UNIQUE,
      f INTEGER NOT NULL AS (a), g VARCHAR(10) COLLATE NOCASE AS (b COLLATE RTRIM) STORED CHECK (g <> ''));
    CREATE TABLE s (a INTEGER, b TEXT AS ('\`\${a}') STORED, c ANY AS (a)) STRICT;`,
  "views and triggers": `
    CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b DATETIME);
    CREATE VIEW later AS SELECT * FROM earlier;
    CREATE VIEW earlier AS SELECT a, b, id + 1, upper(a) AS "Up per" FROM t -- the end
    ;
    CREATE VIEW listed (x, [y z]) AS SELECT a, b FROM t;
    CREATE VIEW twice AS SELECT a, a, 'x' FROM t;
    CREATE VIEW "empty" AS SELECT 1 AS "";
    CREATE VIEW 'texts' ('x') AS SELECT a FROM t;
    CREATE VIEW recursive AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n;
    CREATE TRIGGER "tr ""1""" BEFORE UPDATE OF a, b ON t WHEN old.a <> new.a BEGIN
      SELECT RAISE(ABORT, 'no \`\${x}\` \\n'); -- a comment
      UPDATE t SET b = 'x''y' WHERE id = new.id; END;
    CREATE TRIGGER other INSTEAD OF INSERT ON listed BEGIN INSERT INTO t (a) VALUES (new.x); END;
    CREATE TRIGGER third AFTER DELETE ON t BEGIN DELETE FROM t WHERE id = CASE WHEN old.id > 0 THEN old.id END; END;`,
  "full-text search": `
    CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT);
    CREATE VIRTUAL TABLE notes_search USING fts5("title", "body", content='notes', content_rowid='id');
    CREATE TRIGGER notes_search_insert AFTER INSERT ON notes BEGIN
      INSERT INTO notes_search (rowid, title, body) VALUES (new.id, new.title, new.body); END;
    CREATE TRIGGER notes_search_delete AFTER DELETE ON notes BEGIN
      INSERT INTO notes_search (notes_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body); END;
    CREATE TRIGGER notes_search_update AFTER UPDATE OF id, title, body ON notes BEGIN
      INSERT INTO notes_search (notes_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
      INSERT INTO notes_search (rowid, title, body) VALUES (new.id, new.title, new.body); END;
    CREATE VIRTUAL TABLE own USING fts5(a, b UNINDEXED, tokenize = "unicode61 remove_diacritics 2", prefix='2 3');
    CREATE TABLE half (id INTEGER PRIMARY KEY, t TEXT);
    CREATE VIRTUAL TABLE half_search USING fts5(t, content='half', content_rowid='id');
    CREATE TRIGGER half_search_insert AFTER INSERT ON half BEGIN INSERT INTO half_search (rowid, t) VALUES (new.id, new.t); END;`,
  "texts that SQLite has rewritten, or kept as odd as they were": `
    CREATE TABLE src (a INTEGER, b TEXT, c REAL, d BLOB, e NUMERIC(3), f);
    CREATE TABLE made AS SELECT a, b, c, d, e, f, a+1 AS "g h", 'x' AS "i""j", count(*) FROM src;
    ALTER TABLE src ADD COLUMN "added one" TEXT DEFAULT 'z' CHECK ("added one" <> '');
    ALTER TABLE src RENAME TO "re named";
    ALTER TABLE "re named" RENAME COLUMN b TO "b b";
    CREATE TABLE 'x(' ('a' TEXT COLLATE NOCASE, "b" INTEGER DEFAULT 5 CHECK('b' <> 'a'), [c] REFERENCES 'x('('a'));
    CREATE UNIQUE INDEX "u'" ON 'x(' ('a');
    CREATE TABLE /* ( */ cm -- (
     ( /* first */ a /* name */ INTEGER -- type
      , b, -- last
      /* c */ PRIMARY KEY /* of */ (a /* and */, b) /* end */ ) /* opt */ ;
    CREATE TABLE noc (a INTEGER, b TEXT, CHECK (a > 1) CHECK (b <> '') UNIQUE (a, b) FOREIGN KEY (a) REFERENCES noc2(id));
    CREATE TABLE noc2 (id INTEGER PRIMARY KEY);
    ANALYZE;
    CREATE TABLE __schemascript_kept_1 (a);
    CREATE INDEX kept_i ON __schemascript_kept_1 (a);
    CREATE TABLE "Table" (a); CREATE TABLE "prop" (id INTEGER PRIMARY KEY, p INTEGER REFERENCES "prop");
    CREATE TABLE multi (a INTEGER, b INTEGER, c INTEGER, PRIMARY KEY(a, b), FOREIGN KEY (a, c) REFERENCES multi (a, b));
    CREATE TABLE jsonkey (a TEXT NOT NULL CHECK (CASE WHEN json_valid(a) THEN json_type(a) = 'array' ELSE a IS NULL END), b TEXT, PRIMARY KEY (a, b));
    CREATE TABLE dates (a DATE PRIMARY KEY, b TIMESTAMP NOT NULL DEFAULT (strftime('%s','now')), c TIME, d INTEGER DEFAULT (strftime('%s','now')) NOT NULL ON CONFLICT ABORT);
    CREATE VIEW vx AS WITH q AS (SELECT 1 x) SELECT q.x, t.* FROM q, "Table" t;`,
  "a schema of the language": `
    CREATE TABLE "users" ("id" INTEGER PRIMARY KEY, "email" TEXT NOT NULL CONSTRAINT "users_email_min" CHECK (length("email") >= 3 AND instr("email", char(0)) = 0),
      "active" INTEGER NOT NULL DEFAULT 1 CONSTRAINT "users_active_check" CHECK ("active" IN (0, 1)),
      "at" INTEGER NOT NULL DEFAULT (unixepoch() * 1000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER)),
      "tags" TEXT NOT NULL DEFAULT '[]' CONSTRAINT "users_tags_check" CHECK (CASE WHEN json_valid("tags") THEN json_type("tags") = 'array' ELSE "tags" IS NULL END)) STRICT;
    CREATE UNIQUE INDEX "users_email_unique" ON "users" ("email");`,
};
for (const [name, sql] of Object.entries(SCHEMAS)) {
  test(`${name} come back as they were`, () => void pulled(sql));
}

test("a schema of the language comes back in its words", () => {
  const text = pulled(SCHEMAS["a schema of the language"]);
  assert.equal(
    text.slice(text.indexOf("export")),
    `export const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  email: prop.text().unique().min(3),
  active: prop.boolean().default(true),
  at: prop.datetime().default(value.now()),
  tags: prop.node<unknown>().array().default(sql\`'[]'\`),
}));
`,
  );
  assert.match(pulled(SCHEMAS["full-text search"]), /search: \["title", "body"\]/);
});

test("what a column really holds is what it is read as", () => {
  const made = databaseOf(`
    CREATE TABLE t (a DATETIME, b DATETIME, c INTEGER, d, e NUMERIC, f BIGINT, g TEXT, h BLOB, i INTEGER AS (c) STORED);
    INSERT INTO t (a, b, c, d, e, f, g, h) VALUES ('2020-01-01', 1577836800, 'text', 1, 1, 9007199254740993, 'x', 'not bytes'), (NULL, 5, 1, 2, 1.5, 1, NULL, x'00');
    CREATE TABLE s (a INTEGER, b TEXT) STRICT;
    INSERT INTO s VALUES (-9223372036854775808, 'x');`);
  const text = pulled(undefined, made);
  for (const line of [
    'a: prop.text().declaredAs("DATETIME")',
    'b: prop.integer().declaredAs("DATETIME")',
    'c: prop.custom<Stored>("any").declaredAs("INTEGER")',
    'd: prop.custom<Stored>("any").optional()',
    'e: prop.real().declaredAs("NUMERIC")',
    'f: prop.integer({ mode: "bigint" }).declaredAs("BIGINT")',
    "g: prop.text().optional()",
    'h: prop.custom<Stored>("any").declaredAs("BLOB")',
    'i: prop\n      .custom<Stored>("any")\n      .declaredAs("INTEGER")',
    'a: prop.integer({ mode: "bigint" }).optional(),\n  b: prop.text().optional()',
  ]) {
    assert.ok(text.includes(line), `${line} in\n${text}`);
  }
  const app = join(made.own, "app.ts");
  writeFileSync(
    app,
    `import { database } from "schemascript";
import { s, t } from "./schema.ts";
const db = database();
console.log((await db.select().from(t)).length, (await db.select().from(s))[0]?.a);`,
  );
  assert.equal(schemascript("run", app, "--db", made.file).stdout, "2 -9223372036854775808n\n");
});

const HOSTILE = [
  '"); evil(',
  "`); evil(`",
  "${evil()}",
  "\\${evil()}",
  "\\",
  "a\nb",
  "a\rb",
  "*/ evil() /*",
  "// evil()",
  "\u2028evil()",
  "\u2029",
  "\u202eevil",
  "\u0001\u001b[31m",
  "constructor",
  "__proto__",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "$inferSelect",
  "~standard",
  "_",
  "getSQL",
  "validate",
  "toJSONSchema",
  "1",
  "1st",
  "select",
  "class",
  "await",
  "prop",
  "sql",
  "Table",
  "table",
  "value",
  "Stored",
  "undefined",
  "order details",
  "orderDetails",
  "Order_Details",
  " ",
  "-",
  "😀",
  "größe",
  "имя",
  "名前",
  "'",
  '"',
  "[x]",
  "a.b",
  "?1",
  ":x",
  "😀\ud83d".slice(0, 2),
  "x".repeat(300),
];

test("names never become code", () => {
  const quoted = (name) => `"${name.replaceAll('"', '""')}"`;
  const constant = (text) => `'${text.replaceAll("'", "''")}'`;
  const distinct = [...new Map(HOSTILE.map((name) => [name.toLowerCase(), name])).values()];
  const columns = distinct.map(
    (name, at) =>
      `${quoted(name)} TEXT DEFAULT ${constant(name)} CHECK (${quoted(name)} <> ${constant(name)}) REFERENCES ${quoted(distinct[at])}`,
  );
  const tables = distinct.map(
    (name) => `CREATE TABLE ${quoted(name)} (${quoted(`id ${name}`)} TEXT PRIMARY KEY,
      ${quoted(name)} TEXT CONSTRAINT ${quoted(name)} CHECK (${quoted(name)} <> ${constant(name)}));
    CREATE INDEX ${quoted(`i ${name}`)} ON ${quoted(name)} (${quoted(name)}, lower(${quoted(name)}) DESC);
    CREATE VIEW ${quoted(`v ${name}`)} AS SELECT ${quoted(name)}, ${constant(name)} FROM ${quoted(name)};
    CREATE TRIGGER ${quoted(`t ${name}`)} AFTER INSERT ON ${quoted(name)} BEGIN SELECT ${constant(name)}; END;`,
  );
  const made = databaseOf(
    `${tables.join("\n")}\nCREATE TABLE everything (${columns.join(",\n")});`,
  );
  const text = pulled(undefined, made);
  // What is invisible, or turns the direction, is written as an escape.
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f\u2028\u2029\u202e]/);
  const log = join(made.own, "app.ts");
  writeFileSync(
    log,
    `globalThis.evil = () => console.log("evil");
const { everything } = await import("./schema.ts");
console.log(Object.keys(everything).length >= ${distinct.length});`,
  );
  const run = schemascript("run", log, "--db", made.file);
  assert.equal(run.stdout, "true\n", run.stderr);
});

test("what a schema cannot have is named, and left out only if that is wanted", () => {
  const { file, own, schema } = databaseOf(`
    CREATE TABLE good (id INTEGER PRIMARY KEY);
    CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1);
    CREATE VIRTUAL TABLE old USING fts4(text);
    CREATE TABLE "" (a);
    CREATE TABLE nameless ("" TEXT);
    CREATE INDEX on_nameless ON nameless ("");
    CREATE VIEW broken AS SELECT * FROM nowhere;
    CREATE VIEW over_broken AS SELECT * FROM broken;
    CREATE VIEW fine AS SELECT id FROM good;
    CREATE TRIGGER bad AFTER INSERT ON good BEGIN INSERT INTO nowhere VALUES (1); END;
    CREATE VIRTUAL TABLE less USING fts5(a, detail=none);
    CREATE VIEW "eval
    // Left out" AS SELECT load_extension('x');`);
  const all = [
    'virtual table "boxes"',
    'virtual table "old"',
    'table "boxes_node"',
    'table "old_segments"',
    'table ""',
    'table "nameless"',
    'index "on_nameless"',
    'view "broken"',
    'view "over_broken"',
    'trigger "bad"',
    'virtual table "less"',
    'view "eval\\n    // Left out"',
  ];
  const refused = schemascript("pull", "--db", file, "--out", schema);
  assert.equal(refused.status, 1);
  assert.equal(refused.stdout, "");
  assert.match(
    refused.stderr,
    /^schemascript: the database has what a schema cannot have; nothing was written\n/,
  );
  assert.match(refused.stderr, /\n--partial writes all the rest\n$/);
  for (const what of all)
    assert.ok(refused.stderr.includes(`\n  ${what}: `), `${what} in ${refused.stderr}`);
  assert.ok(!existsSync(schema));

  const partial = schemascript("pull", "--db", file, "--out", schema, "--partial");
  assert.equal(partial.status, 1);
  const text = readFileSync(schema, "utf8");
  for (const what of all) {
    assert.ok(partial.stderr.includes(`\n  ${what}: `), `${what} in ${partial.stderr}`);
    assert.ok(!partial.stderr.includes(`: ${what.replaceAll('"', "")}: `), partial.stderr);
    assert.ok(text.includes(`\n// Left out: ${what}: `), `${what} in ${text}`);
  }
  assert.match(text, /export const good = Table/);
  assert.match(text, /export const fine = View/);
  const push = schemascript("push", schema, "--db", join(own, "other.db"));
  assert.equal(push.stdout, "created table good\ncreated view fine\n", push.stderr);
});

test("a pull has limits", () => {
  const tables = Array.from(
    { length: 150 },
    (_, at) => `CREATE TABLE t${at} (a INTEGER PRIMARY KEY, b, c, d, e);`,
  );
  const { file } = databaseOf(`BEGIN;${tables.join("\n")}COMMIT;`);
  const late = schemascript("pull", "--db", file, "--time-limit", "1ms");
  assert.match(
    late.stderr,
    /^schemascript: the time limit of 1ms was exceeded \(--time-limit\)\n$/,
  );
  assert.equal(late.status, 3);
  assert.equal(late.stdout, "");
});

test("names that are not UTF-8 are left out", () => {
  const made = databaseOf("CREATE TABLE good (id INTEGER PRIMARY KEY)");
  const sql = Buffer.concat([
    Buffer.from('CREATE TABLE "a'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('" (a)'),
  ]);
  assert.equal(spawnSync("sqlite3", [made.file], { input: sql }).status, 0);
  const { status, stderr } = schemascript("pull", "--db", made.file);
  assert.match(stderr, /\n  table whose name is not UTF-8: its text is not UTF-8\n/);
  assert.equal(status, 1);
});

test("a file that is there stays, and a database that is not there is none", () => {
  const { file, own, schema } = databaseOf("CREATE TABLE a (b)");
  writeFileSync(schema, "mine");
  const refused = schemascript("pull", "--db", file, "--out", schema);
  assert.equal(refused.status, 2);
  assert.equal(refused.stderr, `schemascript: ${schema} is there already; --force replaces it\n`);
  assert.equal(readFileSync(schema, "utf8"), "mine");
  const forced = schemascript("pull", "--db", file, "--out", schema, "--force");
  assert.equal(forced.status, 0);
  assert.equal(forced.stderr, `wrote ${schema}\n`);
  assert.equal(forced.stdout, "");
  const printed = schemascript("pull", "--db", file);
  assert.equal(printed.status, 0);
  assert.equal(printed.stdout, readFileSync(schema, "utf8"));

  const missing = schemascript("pull", "--db", join(own, "missing.db"));
  assert.equal(missing.status, 2, missing.stderr);
  assert.match(missing.stderr, /missing\.db/);
  assert.ok(!existsSync(join(own, "missing.db")));
  assert.notEqual(schemascript("pull", "--db", schema).status, 0);
  assert.equal(schemascript("pull").status, 2);
});

test("an empty database is an empty schema", () => {
  const made = databaseOf("CREATE TABLE a (b); DROP TABLE a;");
  const { status, stdout } = schemascript("pull", "--db", made.file);
  assert.equal(status, 0);
  assert.match(stdout, /\nexport \{\};\n$/);
});

/** CREATE statements of whatever readSchema() tells apart. */
function randomSchema(random) {
  const upTo = (max) => Math.floor(random() * (max + 1));
  const chance = (probability) => random() < probability;
  const oneOf = (list) => list[upTo(list.length - 1)];
  const some = (list) => list.filter(() => chance(0.5));
  const quote = (name) =>
    /^[a-z]+$/i.test(name) && !["select", "order"].includes(name) && chance(0.5)
      ? name
      : oneOf([
          `"${name.replaceAll('"', '""')}"`,
          `"${name.replaceAll('"', '""')}"`,
          ...(/["`\]]/.test(name) ? [] : [`[${name}]`, `\`${name}\``]),
        ]);
  const NAMES = [
    "a",
    "B",
    "user_id",
    "d e",
    "select",
    'f"g',
    "UserName",
    "order",
    "x1",
    "größe",
    "user id",
    "_z",
    "1st",
    "k`",
  ];
  const LOOSE = [
    "INTEGER",
    "TEXT",
    "REAL",
    "BLOB",
    "",
    "NVARCHAR(20)",
    "DECIMAL(10, 2)",
    "DATETIME",
    "BOOLEAN",
    "int",
    "unsigned big int",
  ];
  const STRICT = ["INTEGER", "TEXT", "REAL", "BLOB", "ANY", "INT"];
  const statements = [];
  const tables = [];
  const names = NAMES.map((name) => ({ name, order: random() })).sort((a, b) => a.order - b.order);
  for (const { name } of names.slice(0, 1 + upTo(4))) {
    const strict = chance(0.4);
    const columns = NAMES.filter(() => chance(0.4)).map((column) => ({
      name: column,
      type: oneOf(strict ? STRICT : LOOSE),
    }));
    while (columns.length < 2) columns.push({ name: `c${columns.length}`, type: "TEXT" });
    const table = { name, strict, columns, unique: [] };
    tables.push(table);
    const key = oneOf(["rowid", "counted", "own", "pair", "none"]);
    const withoutRowid = ["own", "pair"].includes(key) && chance(0.4);
    const [first, second] = columns;
    const lines = columns.map((column, at) => {
      const q = quote(column.name);
      const parts = [q];
      if (at === 0 && ["rowid", "counted"].includes(key)) column.type = "INTEGER";
      if (column.type) parts.push(column.type);
      const isKey = (at === 0 && key !== "none") || (at === 1 && key === "pair");
      if (at === 0 && key === "rowid") parts.push("PRIMARY KEY");
      if (at === 0 && key === "counted") parts.push("PRIMARY KEY AUTOINCREMENT");
      if (at === 0 && key === "own") parts.push(`PRIMARY KEY${chance(0.1) ? " DESC" : ""}`);
      if (isKey && key !== "pair") table.unique.push([at]);
      if (chance(0.3)) parts.push("NOT NULL");
      if (!isKey && chance(0.3))
        parts.push(
          `DEFAULT ${oneOf(["0", "1", "-5", "1.5", "'a'", "'it''s'", "(1 + 1)", "x'0a'", "CURRENT_TIMESTAMP", "NULL", "true"])}`,
        );
      else if (!isKey && at > 1 && chance(0.15))
        parts.push(`AS (${quote(first.name)})${chance(0.5) ? " STORED" : ""}`);
      if (chance(0.15)) {
        parts.push(`UNIQUE${chance(0.1) ? " ON CONFLICT IGNORE" : ""}`);
        table.unique.push([at]);
      }
      if (chance(0.15)) parts.push(`COLLATE ${oneOf(["NOCASE", "rtrim", "binary"])}`);
      if (chance(0.2))
        parts.push(
          oneOf([
            `CHECK (${q} IN (0, 1))`,
            `CHECK (${q} IN ('a', 'b'))`,
            `CONSTRAINT ${quote(column.name)} CHECK (${q} >= ${upTo(9)})`,
            `CHECK (length(${q}) <= 5 AND instr(${q}, char(0)) = 0)`,
            `CHECK (json_valid(${q}))`,
          ]),
        );
      if (chance(0.25)) {
        const parent = oneOf(tables);
        const target = oneOf([...parent.unique, [upTo(parent.columns.length - 1)]]);
        const to = chance(0.3) ? "" : ` (${quote(parent.columns[target[0]].name)})`;
        parts.push(
          `REFERENCES ${quote(parent.name)}${to}${oneOf(["", " ON DELETE CASCADE", " ON UPDATE SET NULL ON DELETE SET DEFAULT"])}${oneOf(["", " DEFERRABLE INITIALLY DEFERRED"])}`,
        );
      }
      return parts.join(" ");
    });
    if (key === "pair") {
      lines.push(`PRIMARY KEY (${quote(second.name)}, ${quote(first.name)})`);
      table.unique.push([1, 0]);
    }
    const isComputed = (column) => / AS \(/.test(lines[columns.indexOf(column)]);
    if (chance(0.2)) {
      lines.push(
        `UNIQUE (${quote(second.name)}${chance(0.1) ? " DESC" : ""}, ${quote(first.name)})`,
      );
      table.unique.push([1, 0]);
    }
    if (chance(0.2))
      lines.push(`CHECK (${quote(first.name)} <> ${quote(second.name)} /* unlike */)`);
    const pairs = tables.flatMap((parent) =>
      parent.unique.filter(({ length }) => length === 2).map((unique) => ({ parent, unique })),
    );
    if (pairs.length > 0 && chance(0.4)) {
      const { parent, unique } = oneOf(pairs);
      lines.push(
        `${chance(0.5) ? 'CONSTRAINT "the key" ' : ""}FOREIGN KEY (${quote(first.name)}, ${quote(second.name)}) REFERENCES ${quote(parent.name)} (${unique.map((at) => quote(parent.columns[at].name)).join(", ")})`,
      );
    }
    const options = [...(strict ? ["STRICT"] : []), ...(withoutRowid ? ["WITHOUT ROWID"] : [])];
    statements.push(
      `CREATE TABLE ${quote(name)} (\n  ${lines.join(",\n  ")}\n) ${options.join(", ")}`,
    );
    for (const column of some(columns)) {
      const part = oneOf([
        quote(column.name),
        `${quote(column.name)} DESC`,
        `lower(${quote(column.name)})`,
        `${quote(column.name)} COLLATE NOCASE`,
      ]);
      const where = chance(0.2) ? ` WHERE ${quote(first.name)} IS NOT NULL` : "";
      const own = oneOf([
        `${name}_${column.name}_index`,
        `${name}_${column.name}_unique`,
        `by ${name} ${column.name}`,
      ]).replaceAll('"', '""');
      statements.push(
        `CREATE ${chance(0.3) ? "UNIQUE " : ""}INDEX "${own}" ON ${quote(name)} (${part}${chance(0.2) ? `, ${quote(second.name)}` : ""})${where}`,
      );
    }
    if (chance(0.3))
      statements.push(
        `CREATE VIEW "v ${name.replaceAll('"', '""')}"${chance(0.3) ? ' ("x", "y y")' : ""} AS SELECT ${quote(first.name)}, count(*) FROM ${quote(name)} -- all`,
      );
    const settable = columns.find((column) => !isComputed(column));
    if (chance(0.3))
      statements.push(
        `CREATE TRIGGER "t ${name.replaceAll('"', '""')}" AFTER UPDATE ON ${quote(name)} BEGIN UPDATE ${quote(name)} SET ${quote(settable.name)} = NULL WHERE 0; END`,
      );
  }
  return `${statements.join("\n;\n")}\n;\n`;
}

const seed = Number(process.env.PULL_SEED ?? Math.floor(Math.random() * 2 ** 31));
const schemas = Number(process.env.PULL_COUNT ?? 60);
test(`random schemas come back as they were (PULL_SEED=${seed})`, () => {
  for (let at = 0; at < schemas; ++at) {
    const sql = randomSchema(randomFrom(seed + at));
    try {
      const made = databaseOf(sql);
      pulled(sql, made);
      if (at % 5 === 0) opened(made);
    } catch (error) {
      error.message = `PULL_SEED=${seed + at} PULL_COUNT=1\n${error.message}`;
      throw error;
    }
  }
});

// Of all schemas above.
test("what was written has types", () => {
  const files = readdirSync(folder).filter((name) => existsSync(join(folder, name, "schema.ts")));
  assert.ok(files.length > 8);
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        ...{ target: "es2022", module: "esnext", moduleResolution: "bundler", noEmit: true },
        ...{ strict: true, types: [], skipLibCheck: true, lib: ["es2023"] },
      },
      files: files.map((name) => `${name}/schema.ts`),
    }),
  );
  const tsc = join(here, "../node_modules/.bin/tsc");
  const checked = spawnSync(tsc, ["-p", folder], { encoding: "utf8" });
  assert.equal(checked.stdout, "");
  assert.equal(checked.status, 0, checked.stderr);
});
