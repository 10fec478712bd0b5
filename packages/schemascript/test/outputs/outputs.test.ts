// The texts that are made of a schema, and the validator's answers.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { sql } from "drizzle-orm";
import {
  describeSchema,
  Schema,
  Table,
  toJSONSchema,
  toTypeScriptInterface,
  validate,
  value,
  type PropertyMap,
} from "schemascript";
import { emitSchema, type EmitKind } from "schemascript/internal";

const Users = Schema("users", (prop) => ({
  id: prop.integer("user_id").identifier(),
  name: prop.text().min(1).max(80).describe("How they are called.\nNot */ unique."),
  email: prop
    .text()
    .unique()
    .optional()
    .pattern(/^[^@]+@[^@]+$/),
  role: prop.enum({ options: ["admin", "user"] }).default("user"),
  level: prop.enum({ options: { low: 1, high: 2 } }).array(),
  score: prop.real().min(0).max(1),
  big: prop.integer({ mode: "bigint" }).min(-5n).optional(),
  avatar: prop.blob().max(3).optional(),
  at: prop.datetime().default(value.now()),
  extra: prop.node<{ a: number }>().optional(),
  point: prop
    .custom<[number, number]>("Point", {
      storage: "text",
      toDriver: String,
      fromDriver: (stored) => stored.split(",").map(Number) as [number, number],
    })
    .optional(),
  "odd-key": prop.boolean(),
  shout: prop.text().generated(sql`upper("name")`),
}));
const users = Table(Users);
const posts = Table("blog_posts", (prop) => ({
  id: prop.integer().identifier(),
  authorId: prop.integer("author_id").references(() => Users.id, { onDelete: "cascade" }),
  parentId: prop
    .integer()
    .optional()
    .references(() => posts.id),
}));
const VALID = { name: "Ada", level: ["low" as const], score: 0.5, "odd-key": true };

const textOf = (kind: EmitKind) => emitSchema(kind)[0]?.text ?? "";

test("a Schema and its table write the same interface, as their types are", () => {
  const text = `interface users {
  id: number;
  /**
   * How they are called.
   * Not *\\/ unique.
   */
  name: string;
  email: string | null;
  role: "admin" | "user";
  level: ("low" | "high")[];
  score: number;
  big: bigint | null;
  avatar: Uint8Array | null;
  at: Date;
  extra: unknown;
  point: Point | null;
  "odd-key": boolean;
  shout: string;
}`;
  assert.equal(Users.toTypeScriptInterface({ name: "users" }), text);
  assert.equal(users.toTypeScriptInterface({ name: "users" }), text);
  assert.equal(
    posts.toTypeScriptInterface({ kind: "insert", singular: true, export: true }),
    `export interface NewBlogPost {
  id?: number;
  authorId: number;
  parentId?: number | null;
}`,
  );
  assert.match(
    posts.toTypeScriptInterface({ kind: "update" }),
    /^interface ChangedBlogPosts \{\n  id\?: number;\n  authorId\?: number;/,
  );
  const User = untypedSchema("User", { id: (prop) => prop.integer().identifier() });
  assert.equal(toTypeScriptInterface(User as never), "interface User {\n  id: number;\n}");
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any
function untypedSchema(name: string, columns: Record<string, (prop: any) => unknown>) {
  return Schema(
    name,
    (prop) =>
      Object.fromEntries(
        Object.entries(columns).map(([key, make]) => [key, make(prop)]),
      ) as PropertyMap,
  );
}

test("names become English and identifiers", () => {
  const named = (name: string, singular = true) =>
    /interface (\S+)/.exec(
      toTypeScriptInterface(untypedSchema(name, { a: (prop) => prop.text() }) as never, {
        singular,
      }),
    )?.[1];
  assert.equal(named("readers", false), "Readers");
  for (const [name, singular] of [
    ["writers", "Writer"],
    ["categories", "Category"],
    ["boxes", "Box"],
    ["status", "Status"],
    ["address", "Address"],
    ["addresses", "Address"],
    ["user_roles", "UserRole"],
    ["log entries", "LogEntry"],
    ["2fa", "_2fa"],
    ["!", "_"],
  ] as const) {
    assert.equal(named(name), singular);
  }
});

test("the module of interfaces compiles, and its types are the tables'", () => {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const directory = mkdtempSync(join(root, "dist", "interfaces-"));
  try {
    writeFileSync(
      join(directory, "types.ts"),
      textOf("ts").replace("type Point = unknown", "type Point = [number, number]"),
    );
    const sample = readFileSync(join(root, "test/outputs/outputs.test.ts"), "utf8");
    const [definitions = ""] = /const Users = Schema[^]*?(?=const VALID)/.exec(sample) ?? [];
    writeFileSync(
      join(directory, "check.ts"),
      `import { sql } from "drizzle-orm";
import { Schema, Table, value } from "schemascript";
import type { BlogPosts, NewBlogPosts, NewUsers, Users as User } from "./types.js";
${definitions.replace("{ a: number }", "unknown")}
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Flat<T> = { [K in keyof T]: T[K] };
export const equal: [
  Equal<Flat<User>, Flat<typeof users.$inferSelect>>,
  Equal<Flat<NewUsers>, Flat<typeof users.$inferInsert>>,
  Equal<Flat<BlogPosts>, Flat<typeof posts.$inferSelect>>,
  Equal<Flat<NewBlogPosts>, Flat<typeof posts.$inferInsert>>,
] = [true, true, true, true];
`,
    );
    const options = {
      strict: true,
      noEmit: true,
      module: "nodenext",
      target: "es2022",
      lib: ["es2023"],
      types: [],
      skipLibCheck: true,
    };
    writeFileSync(join(directory, "package.json"), '{"type":"module"}');
    writeFileSync(
      join(directory, "tsconfig.json"),
      JSON.stringify({ compilerOptions: options, files: ["check.ts"] }),
    );
    const compiler = join(
      dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
      "bin",
      "tsc",
    );
    const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", directory], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("JSON Schema says what the types say", () => {
  const schema = users.toJSONSchema({ kind: "insert" }) as {
    properties: Record<string, unknown>;
    required: string[];
  };
  assert.deepEqual(schema.required, ["name", "level", "score", "odd-key"]);
  assert.deepEqual(schema.properties["name"], {
    type: "string",
    minLength: 1,
    maxLength: 80,
    pattern: "^[^\\u0000]*$",
    description: "How they are called.\nNot */ unique.",
  });
  assert.deepEqual(schema.properties["role"], { enum: ["admin", "user"], default: "user" });
  assert.deepEqual(schema.properties["level"], { type: "array", items: { enum: ["low", "high"] } });
  assert.deepEqual(schema.properties["score"], { type: "number", minimum: 0, maximum: 1 });
  assert.deepEqual(schema.properties["extra"], {});
  assert.equal(schema.properties["shout"], undefined);
  assert.deepEqual(toJSONSchema(Users), users.toJSONSchema());

  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  formats.default(ajv);
  const document = JSON.parse(textOf("json")) as object;
  ajv.addSchema(document, "schema");
  const isUser = ajv.getSchema("schema#/$defs/users.insert");
  assert.ok(isUser?.(VALID));
  assert.ok(isUser?.({ ...VALID, big: "-5", avatar: "AAAA", at: "2026-11-22T12:00:00.000Z" }));
  assert.ok(!isUser?.({ ...VALID, big: "-6" }));
  assert.ok(!isUser?.({ ...VALID, avatar: "AAAAAA==" }));
  assert.ok(!isUser?.({ ...VALID, nobody: 1 }));
  assert.ok(ajv.getSchema("schema#/$defs/users.update")?.({}));
});

test("an issue names the path, the rule and the value's type, and never the value", () => {
  const secret = "hunter2";
  const issues = (row: unknown) => users.validate(row).issues ?? [];
  const [issue, ...rest] = issues({ ...VALID, score: secret });
  assert.deepEqual(rest, []);
  assert.deepEqual(issue, {
    path: ["score"],
    rule: "type",
    received: "string",
    message: "score must be a number, and not NaN (given: string)",
  });
  const broken: readonly [object, string, string, string][] = [
    [{ name: undefined }, "name", "required", "name is required (nothing was given)"],
    [{ name: null }, "name", "null", "name must not be null (given: null)"],
    [{ name: "" }, "name", "minLength", "name must have at least 1 character (given: string)"],
    [
      { name: secret.repeat(20) },
      "name",
      "maxLength",
      "name must have at most 80 characters (given: string)",
    ],
    [{ name: `${secret}\0` }, "name", "type", "name must be a string without NUL (given: string)"],
    [{ email: secret }, "email", "pattern", "email must match /^[^@]+@[^@]+$/ (given: string)"],
    [{ role: secret }, "role", "enum", "role must be one of admin, user (given: string)"],
    [
      { level: ["low", secret] },
      "level.1",
      "enum",
      "level.1 must be one of low, high (given: string)",
    ],
    [{ level: [null] }, "level.0", "null", "level.0 must not be null (given: null)"],
    [{ score: 1.5 }, "score", "max", "score must be at most 1 (given: number)"],
    [{ big: -6n }, "big", "min", "big must be at least -5 (given: bigint)"],
    [
      { avatar: new Uint8Array(4) },
      "avatar",
      "maxLength",
      "avatar must have at most 3 bytes (given: Uint8Array)",
    ],
    [{ at: new Date(NaN) }, "at", "type", "at must be a valid Date (given: Date)"],
    [{ extra: { a: [1n] } }, "extra.a.0", "json", "extra.a.0 must be JSON (given: bigint)"],
    [{ shout: secret }, "shout", "unknown", "shout is not one of the keys (given: string)"],
  ];
  for (const [change, path, rule, message] of broken) {
    const found = issues({ ...VALID, ...change });
    assert.deepEqual(
      found.map((each) => [each.path.join("."), each.rule, each.message]),
      [[path, rule, message]],
    );
    assert.ok(!JSON.stringify(found).includes(secret));
  }
  for (const row of [null, undefined, [], "x", 5])
    assert.equal(issues(row)[0]?.message.startsWith("the row must be an object"), true);
});

test("a row is answered anew, without what was undefined; JSON's form becomes values", () => {
  const row = { ...VALID, email: undefined };
  const result = users.validate(row);
  assert.deepEqual(result, { value: VALID });
  assert.deepEqual(
    users.validate(
      { ...VALID, big: "7", avatar: "AQI=", at: "2026-11-22T12:00:00.5+01:00" },
      { form: "json" },
    ),
    {
      value: {
        ...VALID,
        big: 7n,
        avatar: new Uint8Array([1, 2]),
        at: new Date("2026-11-22T11:00:00.500Z"),
      },
    },
  );
  assert.deepEqual(users.validate({ score: 1 }, { kind: "update" }), { value: { score: 1 } });
  assert.equal(users.validate(VALID, { kind: "select" }).issues?.length, 9);
});

test("hostile input ends: a value in itself, a million mistakes, a deep tree", () => {
  const circle: { it?: unknown } = {};
  circle.it = circle;
  assert.equal(users.validate({ ...VALID, extra: circle }).issues?.[0]?.rule, "json");
  assert.equal(users.validate({ ...VALID, level: Array(1e5).fill(0) }).issues?.length, 100);
  let deep: unknown = 1;
  for (let depth = 0; depth < 1e5; depth++) deep = [deep];
  assert.deepEqual(users.validate({ ...VALID, extra: deep as never }).issues?.[0]?.path, ["extra"]);
});

test("columns called like a method keep their names", () => {
  const odd = Table("odd", (prop) => ({
    validate: prop.text(),
    toJSONSchema: prop.integer(),
    constructor: prop.text(),
  }));
  assert.equal(odd.validate.name, "validate");
  assert.deepEqual(
    validate(odd, { validate: "a", toJSONSchema: 1, constructor: "c" }).issues,
    undefined,
  );
  assert.equal(validate(odd, { validate: "a", toJSONSchema: 1 }).issues?.[0]?.rule, "required");
  assert.deepEqual(
    Object.keys(odd),
    Object.keys(
      Table("even", (prop) => ({
        validate: prop.text(),
        toJSONSchema: prop.integer(),
        constructor: prop.text(),
      })),
    ),
  );
  assert.deepEqual(Object.keys(Users).slice(0, 2), ["id", "name"]);
  assert.throws(() => validate({} as never, {}), {
    message: "this takes what Schema() and Table() made",
  });
});

test("every table is a Standard Schema", () => {
  const standard: StandardSchemaV1<typeof users.$inferInsert> = users;
  const other: StandardSchemaV1<typeof users.$inferInsert> = Users;
  const input: StandardSchemaV1.InferInput<typeof users> = VALID;
  const output: StandardSchemaV1.InferOutput<typeof Users> = VALID;
  assert.deepEqual([standard["~standard"].vendor, other["~standard"].version], ["schemascript", 1]);
  assert.deepEqual(standard["~standard"].validate(input), { value: output });
});

test("the emitted module depends on nothing, and is what validate.ts says", async () => {
  const text = textOf("js");
  assert.doesNotMatch(text, /^\s*import\b/m);
  const { checkerText } = (await import(
    new URL("../../../test/outputs/checker-text.mjs", import.meta.url).href
  )) as { checkerText: () => string };
  const written = readFileSync(
    new URL("../../../src/outputs/checker-text.ts", import.meta.url),
    "utf8",
  );
  assert.equal(written, checkerText(), "run: node test/outputs/checker-text.mjs");
});

test("Mermaid has every table, column and reference", () => {
  const text = textOf("mermaid");
  assert.match(
    text,
    /^erDiagram\n  users \{\n    integer user_id PK\n    text name "How they are called. Not \*\/ unique."\n    text email UK "optional"/,
  );
  assert.match(text, /^  blog_posts \}o--\|\| users : "author_id"$/m);
  assert.match(text, /^  blog_posts \}o--o\| blog_posts : "parentId"$/m);
});

test("Mermaid's own words are quoted as tables, and changed as columns", () => {
  Table("end", (prop) => ({ pk: prop.text(), "a b": prop.integer(), ok: prop.text() }));
  assert.match(
    textOf("mermaid"),
    /^  "end" \{\n    text _pk "pk"\n    integer a_b "a b"\n    text ok\n  \}$/m,
  );
});

test("the SVG is well-formed, refers to nothing outside, and no two tables overlap", () => {
  const text = textOf("svg");
  assert.match(text, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  assert.doesNotMatch(
    text.replace("http://www.w3.org/2000/svg", ""),
    /https?:|href|<script|@import/,
  );
  const open: string[] = [];
  for (const [, close, name = "", self] of text
    .replace(/<style>[^]*?<\/style>/, "")
    .matchAll(/<(\/?)([\w]+)[^<>]*?(\/?)>/g)) {
    if (close) assert.equal(open.pop(), name);
    else if (!self) open.push(name);
  }
  assert.deepEqual(open, []);
  const boxes = [
    ...text.matchAll(
      /<g class="table" transform="translate\((\d+) (\d+)\)">\n.*\n<rect class="box" width="(\d+)" height="(\d+)"/g,
    ),
  ].map((found) => found.slice(1).map(Number) as [number, number, number, number]);
  assert.equal(boxes.length, describeSchema().tables.length);
  boxes.forEach(([x, y, width, height], index) => {
    for (const [left, top, w, h] of boxes.slice(index + 1)) {
      assert.ok(x + width <= left || left + w <= x || y + height <= top || top + h <= y);
    }
  });
});

test("the description is for programs, the listing for people", () => {
  const schema = describeSchema();
  const found = schema.tables.find(({ name }) => name === "blog_posts");
  assert.deepEqual(found?.references[0], {
    columns: ["author_id"],
    table: "users",
    targets: ["user_id"],
    onDelete: "cascade",
  });
  assert.deepEqual(JSON.parse(textOf("describe")), JSON.parse(JSON.stringify(schema)));
  assert.match(
    textOf("text"),
    /^blog_posts\n  id +integer +identifier\n  author_id +integer +-> users.user_id on delete cascade; as authorId\n  parentId +integer +optional +-> blog_posts.id$/m,
  );
  assert.match(textOf("text"), /^  score +real +min 0; max 1$/m);
  assert.match(textOf("sql"), /^CREATE TABLE "users" \(/m);
});

test("an output that does not exist is refused by name", () => {
  assert.throws(() => emitSchema("toString" as EmitKind), {
    message: /^there is no output toString: ts, json, js/,
  });
});
