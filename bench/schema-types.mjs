// How long TypeScript takes over a schema of 200 tables with 20 columns each: in the schema language
// and written directly in Drizzle. Both are checked in turns; the medians and their ratio are
// printed.
//
//     node bench/schema-types.mjs [--tables 200] [--runs 7] [--relations] [--max 1.5]
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({
  options: {
    tables: { type: "string", default: "200" },
    runs: { type: "string", default: "7" },
    relations: { type: "boolean", default: false },
    max: { type: "string" },
  },
});
const tables = Number(options.tables);
const runs = Number(options.runs);

// Twenty columns: an identifier, a reference, and three of each that follow.
const COLUMNS = [
  ["text", (key) => [`prop.text()`, `text("${key}").notNull()`]],
  ["title", (key) => [`prop.text().unique()`, `text("${key}").notNull().unique()`]],
  ["count", (key) => [`prop.integer().default(0)`, `integer("${key}").notNull().default(0)`]],
  ["weight", (key) => [`prop.real().optional()`, `real("${key}")`]],
  ["active", (key) => [`prop.boolean()`, `integer("${key}", { mode: "boolean" }).notNull()`]],
  [
    "role",
    (key) => [
      `prop.enum({ options: ["admin", "user", "guest"] })`,
      `text("${key}", { enum: ["admin", "user", "guest"] }).notNull()`,
    ],
  ],
];

function files() {
  const ours = ['import { database, Table } from "schemascript";'];
  const theirs = [
    'import { relations } from "drizzle-orm";',
    'import { drizzle } from "drizzle-orm/sqlite-proxy";',
    'import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";',
  ];
  for (let table = 0; table < tables; table++) {
    const name = `table${table}`;
    const parent = `table${Math.max(0, table - 1)}`;
    const self = table === 0;
    const columns = COLUMNS.flatMap(([key, write]) =>
      [1, 2, 3].map((number) => [`${key}${number}`, ...write(`${key}${number}`)]),
    );
    ours.push(
      `export const ${name} = Table("${name}", (prop) => ({`,
      "  id: prop.integer().identifier(),",
      `  parentId: prop.integer()${self ? ".optional()" : ""}.references(() => ${parent}.id),`,
      ...columns.map(([key, text]) => `  ${key}: ${text},`),
      "}));",
    );
    theirs.push(
      `export const ${name} = sqliteTable("${name}", {`,
      '  id: integer("id").primaryKey(),',
      `  parentId: integer("parentId")${self ? "" : `.notNull().references(() => ${parent}.id)`},`,
      ...columns.map(([key, , text]) => `  ${key}: ${text},`),
      "});",
    );
    if (options.relations) {
      theirs.push(
        `export const ${name}Relations = relations(${name}, ({ one, many }) => ({`,
        `  parent: one(${parent}, { fields: [${name}.parentId], references: [${parent}.id], relationName: "r${table}" }),`,
        ...(table + 1 < tables
          ? [`  table${table + 1}: many(table${table + 1}, { relationName: "r${table + 1}" }),`]
          : []),
        "}));",
      );
    }
  }
  const names = Array.from({ length: tables }, (_, table) => `table${table}`);
  const relationNames = options.relations ? names.map((name) => `${name}Relations`) : [];
  ours.push(`export const db = database({ ${names.join(", ")} });`);
  theirs.push(
    `const schema = { ${[...names, ...relationNames].join(", ")} };`,
    "export const db = drizzle(async () => ({ rows: [] }), { schema });",
  );
  // What a program does with its tables: the rows' types, a select, an insert, a relational query.
  const uses = names.flatMap((name, table) => [
    `export type Select${table} = typeof ${name}.$inferSelect;`,
    `export type Insert${table} = typeof ${name}.$inferInsert;`,
    `export const use${table} = async (row: Select${table}, insert: Insert${table}) => {`,
    `  const rows: Select${table}[] = await db.select().from(${name});`,
    `  await db.insert(${name}).values(insert);`,
    ...(options.relations && table > 0
      ? [
          `  const found = await db.query.${name}.findFirst({ with: { parent: true } });`,
          "  const id: number | undefined = found?.parent.id;",
          "  return [rows, row.text1, id];",
        ]
      : ["  return [rows, row.text1];"]),
    "};",
  ]);
  return { schemascript: [...ours, ...uses], drizzle: [...theirs, ...uses] };
}

const folder = mkdtempSync(join(tmpdir(), "schema-types-"));
try {
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  mkdirSync(join(folder, "node_modules"));
  for (const name of ["drizzle-orm", "schemascript"]) {
    const found = name === "schemascript" ? join("packages", name) : join("node_modules", name);
    symlinkSync(join(root, found), join(folder, "node_modules", name), "dir");
  }
  const compilerOptions = {
    ...{
      target: "es2022",
      lib: ["es2023", "dom"],
      module: "nodenext",
      types: [],
    },
    ...{
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: true,
    },
  };
  const written = files();
  for (const [name, lines] of Object.entries(written)) {
    writeFileSync(join(folder, `${name}.ts`), `${lines.join("\n")}\n`);
    const config = { compilerOptions, files: [`${name}.ts`] };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
  }

  const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
  const tsc = join(dirname(compiler), "bin", "tsc");
  const secondsOf = (name) => {
    const start = performance.now();
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", `${name}.json`], {
      cwd: folder,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${name} does not compile:\n${stdout.slice(0, 2000)}`);
    return (performance.now() - start) / 1000;
  };
  const times = { schemascript: [], drizzle: [] };
  // The first round warms the file cache.
  for (let run = -1; run < runs; run++) {
    for (const name of run % 2 === 0 ? ["schemascript", "drizzle"] : ["drizzle", "schemascript"]) {
      const seconds = secondsOf(name);
      if (run >= 0) times[name].push(seconds);
    }
  }
  const median = (list) => [...list].sort((one, other) => one - other)[list.length >> 1];
  const ratio = median(times.schemascript) / median(times.drizzle);
  const what = `${tables} tables x 20 columns${options.relations ? ", with relations" : ""}`;
  console.log(`${what}, ${runs} runs`);
  for (const [name, list] of Object.entries(times)) {
    console.log(
      `${name.padEnd(13)} ${median(list).toFixed(2)} s  (${list.map((each) => each.toFixed(2)).join(" ")})`,
    );
  }
  console.log(`ratio         ${ratio.toFixed(2)}`);
  if (options.max !== undefined && ratio > Number(options.max)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
