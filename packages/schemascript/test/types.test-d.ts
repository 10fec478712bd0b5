// Types are equal, not merely assignable: every type of the language times every modifier, and what
// they make together.
import type { SQL } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy";
import {
  args,
  database,
  Schema,
  schemaStatements,
  Table,
  value,
  type Database,
  type PropertyMap,
  type RunResult,
  type SchemaBuilder,
} from "schemascript";

type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
declare function same<One, Other>(equal: Equal<One, Other>): void;
declare const sqlOf: SQL;

interface Shape {
  a: string[];
}

// Every type times every modifier.

const plain = Table("plain", (prop) => ({
  integer: prop.integer(),
  bigint: prop.integer({ mode: "bigint" }),
  numberMode: prop.integer({ mode: "number" }),
  real: prop.real(),
  text: prop.text(),
  blob: prop.blob(),
  boolean: prop.boolean(),
  datetime: prop.datetime(),
  node: prop.node<Shape>(),
  enum: prop.enum({ options: ["a", "b"] }),
  numbered: prop.enum({ options: { low: 1, high: 2 } }),
  custom: prop.custom<Shape>("shape"),
}));

type Values = {
  integer: number;
  bigint: bigint;
  numberMode: number;
  real: number;
  text: string;
  blob: Uint8Array;
  boolean: boolean;
  datetime: Date;
  node: Shape;
  enum: "a" | "b";
  numbered: "low" | "high";
  custom: Shape;
};
same<typeof plain.$inferSelect, Values>(true);
same<typeof plain.$inferInsert, Values>(true);

const named = Table("named", (prop) => ({
  integer: prop.integer("c1"),
  bigint: prop.integer("c2", { mode: "bigint" }),
  numberMode: prop.integer("c3", { mode: "number" }),
  real: prop.real("c4"),
  text: prop.text("c5"),
  blob: prop.blob("c6"),
  boolean: prop.boolean("c7"),
  datetime: prop.datetime("c8"),
  node: prop.node<Shape>("c9"),
  enum: prop.enum("c10", { options: ["a", "b"] }),
  numbered: prop.enum("c11", { options: { low: 1, high: 2 } }),
  custom: prop.custom<Shape>("shape", {
    name: "c12",
    storage: "text",
    toDriver: (shape) => JSON.stringify(shape),
    fromDriver: (stored) => JSON.parse(stored) as Shape,
  }),
}));
same<typeof named.$inferSelect, Values>(true);
same<typeof named.$inferInsert, Values>(true);

const optional = Table("optional", (prop) => ({
  integer: prop.integer().optional(),
  bigint: prop.integer({ mode: "bigint" }).optional(),
  real: prop.real().optional(),
  text: prop.text().optional(),
  blob: prop.blob().optional(),
  boolean: prop.boolean().optional(),
  datetime: prop.datetime().optional(),
  node: prop.node<Shape>().optional(),
  enum: prop.enum({ options: ["a", "b"] }).optional(),
  numbered: prop.enum({ options: { low: 1, high: 2 } }).optional(),
  custom: prop.custom<Shape>("shape").optional(),
}));
same<
  typeof optional.$inferSelect,
  {
    integer: number | null;
    bigint: bigint | null;
    real: number | null;
    text: string | null;
    blob: Uint8Array | null;
    boolean: boolean | null;
    datetime: Date | null;
    node: Shape | null;
    enum: "a" | "b" | null;
    numbered: "low" | "high" | null;
    custom: Shape | null;
  }
>(true);
same<
  typeof optional.$inferInsert,
  {
    integer?: number | null | undefined;
    bigint?: bigint | null | undefined;
    real?: number | null | undefined;
    text?: string | null | undefined;
    blob?: Uint8Array | null | undefined;
    boolean?: boolean | null | undefined;
    datetime?: Date | null | undefined;
    node?: Shape | null | undefined;
    enum?: "a" | "b" | null | undefined;
    numbered?: "low" | "high" | null | undefined;
    custom?: Shape | null | undefined;
  }
>(true);

const unique = Table("unique", (prop) => ({
  integer: prop.integer().unique(),
  bigint: prop.integer({ mode: "bigint" }).unique(),
  numberMode: prop
    .integer()
    .unique()
    .references(() => plain.integer),
  real: prop.real().unique(),
  text: prop.text().unique(),
  blob: prop.blob().unique(),
  boolean: prop.boolean().unique(),
  datetime: prop.datetime().unique(),
  node: prop.node<Shape>().unique(),
  enum: prop.enum({ options: ["a", "b"] }).unique(),
  numbered: prop.enum({ options: { low: 1, high: 2 } }).unique(),
  custom: prop.custom<Shape>("shape").unique(),
}));
same<typeof unique.$inferSelect, Values>(true);
same<typeof unique.$inferInsert, Values>(true);

const references = Table("references", (prop) => ({
  integer: prop.integer().references(() => plain.integer),
  bigint: prop.integer({ mode: "bigint" }).references(() => plain.bigint),
  numberMode: prop
    .integer()
    .references(() => plain.integer, { onDelete: "cascade", onUpdate: "set null" }),
  real: prop.real().references(() => plain.real),
  text: prop.text().references(() => plain.text),
  blob: prop.blob().references(() => plain.blob),
  boolean: prop.boolean().references(() => plain.boolean),
  datetime: prop.datetime().references(() => plain.datetime),
  node: prop.node<Shape>().references(() => plain.node),
  enum: prop.enum({ options: ["a", "b"] }).references(() => plain.enum),
  numbered: prop.enum({ options: { low: 1, high: 2 } }).references(() => plain.numbered),
  custom: prop.custom<Shape>("shape").references(() => plain.custom),
}));
same<typeof references.$inferSelect, Values>(true);
same<typeof references.$inferInsert, Values>(true);

const defaults = Table("defaults", (prop) => ({
  integer: prop.integer().default(1),
  bigint: prop.integer({ mode: "bigint" }).default(1n),
  numberMode: prop.integer().default(value.now),
  real: prop.real().default(1.5),
  text: prop.text().default("a"),
  blob: prop.blob().default(new Uint8Array(1)),
  boolean: prop.boolean().default(false),
  datetime: prop.datetime().default(new Date(0)),
  node: prop.node<Shape>().default({ a: [] }),
  enum: prop.enum({ options: ["a", "b"] }).default("a"),
  numbered: prop.enum({ options: { low: 1, high: 2 } }).default("low"),
  custom: prop.custom<Shape>("shape").default({ a: [] }),
}));
same<typeof defaults.$inferSelect, Values>(true);
same<
  typeof defaults.$inferInsert,
  {
    integer?: number | undefined;
    bigint?: bigint | undefined;
    numberMode?: number | undefined;
    real?: number | undefined;
    text?: string | undefined;
    blob?: Uint8Array | undefined;
    boolean?: boolean | undefined;
    datetime?: Date | undefined;
    node?: Shape | undefined;
    enum?: "a" | "b" | undefined;
    numbered?: "low" | "high" | undefined;
    custom?: Shape | undefined;
  }
>(true);

// The defaults that fit, written in each of their ways.
Table("shortcuts", (prop) => ({
  integer: prop.integer().default(value.now()),
  bigint: prop.integer({ mode: "bigint" }).default(value.now),
  datetime: prop.datetime().default(value.now()),
  text: prop.text().default(value.now),
  uuid: prop.text().default(value.uuid()),
  uuid2: prop.text().default(value.uuid),
  sql1: prop.real().default(sqlOf),
  sql2: prop.blob().default(value.sql`x'00'`),
  sql3: prop.node<Shape>().default(value.sql`'{}'`),
}));

// Identifiers: an integer is numbered by SQLite, everything else is given.
const identifiers = {
  integer: Table("i1", (prop) => ({ id: prop.integer().identifier() })),
  autoIncrement: Table("i2", (prop) => ({
    id: prop.integer().identifier({ autoIncrement: true }),
  })),
  bigint: Table("i3", (prop) => ({ id: prop.integer({ mode: "bigint" }).identifier() })),
  real: Table("i4", (prop) => ({ id: prop.real().identifier() })),
  text: Table("i5", (prop) => ({ id: prop.text().identifier() })),
  blob: Table("i6", (prop) => ({ id: prop.blob().identifier() })),
  boolean: Table("i7", (prop) => ({ id: prop.boolean().identifier() })),
  datetime: Table("i8", (prop) => ({ id: prop.datetime().identifier() })),
  node: Table("i9", (prop) => ({ id: prop.node<Shape>().identifier() })),
  enum: Table("i10", (prop) => ({ id: prop.enum({ options: ["a", "b"] }).identifier() })),
  numbered: Table("i11", (prop) => ({
    id: prop.enum({ options: { low: 1, high: 2 } }).identifier(),
  })),
  custom: Table("i12", (prop) => ({ id: prop.custom<Shape>("shape").identifier() })),
  uuid: Table("i13", (prop) => ({ id: prop.text().default(value.uuid).identifier() })),
};
type Select<Key extends keyof typeof identifiers> = (typeof identifiers)[Key]["$inferSelect"];
type Insert<Key extends keyof typeof identifiers> = (typeof identifiers)[Key]["$inferInsert"];
same<Select<"integer">, { id: number }>(true);
same<Insert<"integer">, { id?: number | undefined }>(true);
same<Select<"autoIncrement">, { id: number }>(true);
same<Insert<"autoIncrement">, { id?: number | undefined }>(true);
same<Select<"bigint">, { id: bigint }>(true);
same<Insert<"bigint">, { id?: bigint | undefined }>(true);
same<Insert<"real">, { id: number }>(true);
same<Insert<"text">, { id: string }>(true);
same<Insert<"blob">, { id: Uint8Array }>(true);
same<Insert<"boolean">, { id: boolean }>(true);
same<Insert<"datetime">, { id: Date }>(true);
same<Insert<"node">, { id: Shape }>(true);
same<Insert<"enum">, { id: "a" | "b" }>(true);
same<Insert<"numbered">, { id: "low" | "high" }>(true);
same<Insert<"custom">, { id: Shape }>(true);
same<Insert<"uuid">, { id?: string | undefined }>(true);

// Combined, in any order.
const combined = Table("combined", (prop) => ({
  a: prop.text().optional().unique().default("a"),
  b: prop.text().default("a").unique().optional(),
}));
same<typeof combined.$inferSelect, { a: string | null; b: string | null }>(true);
same<
  typeof combined.$inferInsert,
  { a?: string | null | undefined; b?: string | null | undefined }
>(true);

// What Drizzle knows about the columns.
same<typeof plain.text.name, string>(true);
same<(typeof named)["text"]["_"]["name"], "c5">(true);
same<(typeof plain)["text"]["_"]["name"], "text">(true);
same<(typeof plain)["text"]["_"]["tableName"], "plain">(true);
same<(typeof plain)["enum"]["_"]["enumValues"], ["a", "b"]>(true);
same<(typeof plain)["integer"]["_"]["columnType"], "SQLiteInteger">(true);
same<(typeof identifiers)["text"]["id"]["_"]["isPrimaryKey"], true>(true);
export const realTable: SQLiteTable = plain;

// Schemas, and tables of them; a table that refers to itself, and two that refer to each other,
// without annotations.
const Users = Schema("users", (prop) => ({
  id: prop.integer().identifier(),
  email: prop.text().optional(),
}));
same<typeof Users.id.table, "users">(true);
same<typeof Users.email._.value, string>(true);
const users = Table(Users);
same<typeof users.$inferSelect, { id: number; email: string | null }>(true);
same<typeof users.$inferInsert, { id?: number | undefined; email?: string | null | undefined }>(
  true,
);

const nodes = Table("nodes", (prop) => ({
  id: prop.integer().identifier(),
  parentId: prop
    .integer()
    .optional()
    .references(() => nodes.id),
}));
same<typeof nodes.$inferSelect, { id: number; parentId: number | null }>(true);

const eggs = Table("eggs", (prop) => ({
  id: prop.integer().identifier(),
  henId: prop.integer().references(() => hens.id),
}));
const hens = Schema("hens", (prop) => ({
  id: prop.integer().identifier(),
  eggId: prop.integer().references(() => eggs.id),
}));
same<typeof eggs.$inferSelect, { id: number; henId: number }>(true);

// Builders: annotated, satisfied, shared.
const annotated: SchemaBuilder = (prop) => ({ id: prop.integer().identifier() });
const fromAnnotated = Table("annotated", annotated);
fromAnnotated.anything?.name;
const satisfied = ((prop) => ({
  id: prop.integer().identifier(),
  name: prop.text().optional(),
})) satisfies SchemaBuilder;
const fromSatisfied = Table("satisfied", satisfied);
same<typeof fromSatisfied.$inferSelect, { id: number; name: string | null }>(true);
same<(typeof fromSatisfied)["name"]["_"]["name"], "name">(true);
export const map: PropertyMap = satisfied(undefined as never);
schemaStatements([Users, users, fromAnnotated, fromSatisfied]);

// Custom types: conversions are asked for where the value is not what is stored.
type Brand = string & { readonly brand: "Brand" };
Table("customs", (prop) => ({
  branded: prop.custom<Brand>("brand", { storage: "text" }),
  counted: prop.custom<number>("count", { storage: "integer" }),
  point: prop.custom<[number, number]>("point", {
    storage: "blob",
    toDriver: (point) => new Uint8Array(point),
    fromDriver: (stored) => [stored[0] ?? 0, stored[1] ?? 0],
  }),
}));

// The database.
const db = database({ users, nodes });
export const asDrizzle: Database<{ users: typeof users; nodes: typeof nodes }> = db;
same<
  Awaited<ReturnType<typeof db.query.users.findFirst>>,
  { id: number; email: string | null } | undefined
>(true);
const withOptions = database({ schema: { users }, logger: true });
same<
  Awaited<ReturnType<typeof withOptions.query.users.findMany>>,
  { id: number; email: string | null }[]
>(true);
export const logged: Database = database({ logger: { logQuery: () => {} } });
export const bare: Database = database();
export async function results(): Promise<void> {
  same<RunResult, Awaited<ReturnType<typeof bare.run>>>(true);
  const inserted = await db.insert(users).values({});
  same<typeof inserted, RunResult>(true);
  const [row] = await db.insert(users).values({}).returning();
  same<typeof row, { id: number; email: string | null } | undefined>(true);
  const [selected, written] = await db.batch([
    db.select().from(users),
    db.insert(users).values({}),
  ]);
  same<typeof selected, { id: number; email: string | null }[]>(true);
  same<typeof written, RunResult>(true);
  const sum = await db.transaction(async (tx) => {
    const [first] = await tx.select({ id: users.id }).from(users);
    return first?.id ?? 0;
  });
  same<typeof sum, number>(true);
}
// Where tables refer to each other, ours knows more relations than Drizzle's type of the same tables.
export const assignable: SqliteRemoteDatabase<{ users: typeof users }> = database({ users });
same<typeof args, readonly string[]>(true);
