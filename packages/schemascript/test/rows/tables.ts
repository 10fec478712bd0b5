// Tables whose rows the driver and Drizzle's own mapping must make the same objects of: every type
// of the language and every column of Drizzle's.
import { gt, relations, sql } from "drizzle-orm";
import {
  blob,
  customType,
  integer,
  numeric,
  real,
  sqliteTable,
  text,
  type SQLiteTable,
} from "drizzle-orm/sqlite-core";
import { Table, View, type FieldBuilder } from "schemascript";

interface Point {
  x: number;
  y: number;
}

const everyType = (prop: FieldBuilder) => ({
  integer: prop.integer(),
  bigint: prop.integer({ mode: "bigint" }),
  real: prop.real(),
  text: prop.text(),
  blob: prop.blob(),
  boolean: prop.boolean(),
  datetime: prop.datetime(),
  node: prop.node<unknown>(),
  enum: prop.enum({ options: ["a", "b"] }),
  numbered: prop.enum({ options: { low: 1, high: 2, none: 0 } }),
  plain: prop.custom<string>("plain"),
  point: prop.custom<Point>("point", {
    storage: "text",
    toDriver: ({ x, y }) => `${x},${y}`,
    fromDriver: (stored) => {
      const [x, y] = String(stored).split(",").map(Number);
      return { x: x ?? 0, y: y ?? 0 };
    },
  }),
});

type EveryType = ReturnType<typeof everyType>;
const TYPES = [
  ...(["integer", "bigint", "real", "text", "blob", "boolean", "datetime"] as const),
  ...(["node", "enum", "numbered", "plain", "point"] as const),
];

// Of every type alike; what it is to the type checker does not matter here.
interface Changeable {
  optional(): Changeable;
  array(): Changeable;
}

function propertyOf(prop: FieldBuilder, type: keyof EveryType): Changeable {
  return everyType(prop)[type] as unknown as Changeable;
}

function changed(prop: FieldBuilder, change: (property: Changeable) => Changeable): EveryType {
  const changes = TYPES.map((type) => [type, change(propertyOf(prop, type))]);
  return Object.fromEntries(changes) as EveryType;
}

export const people = Table(
  "people",
  (prop) => ({
    // Not first: a column that is not optional, so that it tells a missing row.
    nick: prop.text().optional(),
    id: prop.integer().identifier(),
    name: prop.text(),
    bossId: prop.integer().optional(),
    born: prop.datetime().optional(),
  }),
  { search: ["name"] },
);
export const pets = Table("pets", (prop) => ({
  id: prop.integer().identifier(),
  ownerId: prop.integer().optional(),
  name: prop.text(),
  weight: prop.real().optional(),
  tags: prop.text().array().optional(),
}));
export const everything = Table("everything", (prop) => ({
  id: prop.integer().identifier(),
  ...everyType(prop),
}));
export const optionals = Table("optionals", (prop) => ({
  id: prop.integer().identifier(),
  ...changed(prop, (property) => property.optional()),
}));
export const lists = Table("lists", (prop) => ({
  id: prop.integer().identifier(),
  ...changed(prop, (property) => property.array().optional()),
}));
/** Drizzle's own columns, with all that fills them where a value is left out. */
export const drizzled = sqliteTable('drizz"led', {
  id: integer("id").primaryKey(),
  'quo"ted': text('quo"ted').default("it's"),
  made: text("made").$default(() => "made"),
  expression: integer("expression").default(sql`(1 + 1)`),
  madeSql: text().$defaultFn(() => sql`lower(${"M"})`),
  updated: integer("updated", { mode: "timestamp" }).$onUpdate(() => new Date(7000)),
  updatedSql: text("updated_sql").$onUpdateFn(() => sql`upper(${"u"})`),
  isOn: integer("is_on", { mode: "boolean" }).default(false),
  json: text("json", { mode: "json" }).default([]),
  digits: numeric("digits", { mode: "bigint" }),
  twice: integer("twice").generatedAlwaysAs(sql`id * 2`),
});
export const owners = View("owners", (query) =>
  query
    .select({ id: people.id, name: people.name, born: people.born, one: sql<number>`1`.as("one") })
    .from(people)
    .where(gt(people.id, 1)),
);

export const peopleRelations = relations(people, ({ one, many }) => ({
  boss: one(people, { fields: [people.bossId], references: [people.id], relationName: "boss" }),
  staff: many(people, { relationName: "boss" }),
  pets: many(pets),
}));
export const petsRelations = relations(pets, ({ one }) => ({
  owner: one(people, { fields: [pets.ownerId], references: [people.id] }),
}));

/** Everything that is declared: what `database()` takes. */
export const schema = {
  ...{ people, pets, everything, optionals, lists },
  ...{ peopleRelations, petsRelations },
};
export const declared = [people, pets, everything, optionals, lists, owners];

// Values of any class, behind a column of each type.

/** Stored values, as SQL: what a type expects, its bounds, and what it does not expect. */
export const STORED = [
  ...["NULL", "0", "1", "2", "-1", "1.5", "0.0", "-0.0", "1.0", "2.0", "5.0", "1e300"],
  ...["9007199254740991", "9007199254740992", "-9007199254740991", "-9007199254740992"],
  ...["9007199254740993", "9223372036854775807", "-9223372036854775807 - 1"],
  ...["9007199254740992.0", "9e999", "-9e999", "8640000000000000", "8640000000000001"],
  ...["-8640000000000001", "1700000000123", "1700000000.25", "-0.5", "8640000000000"],
  ...["8640000000001", "''", "'text'", "'a'", "'0'", "'1'", "'1.5'", "'1,2'", "' 1 '", "'true'"],
  ...["'null'", "'{'", "'{}'", "'[]'", "'[1,0]'", '\'["a","b"]\'', "'[null]'", "'[true]'"],
  ...["'[\"1\",2]'", "'[\"00ff\"]'", "'\"a\"'", `'{"a":[1,null,{"b":"\\u0000é"}],"a":2}'`],
  ...[`'{"__proto__":{"c":1},"2":1,"1":2}'`, "'\"\\ud800\"'", "'[1] '", "'1' || char(0)"],
  ...["'{}' || char(0)", "'a' || char(0) || 'b'", "char(128512)", "char(65279) || '1'"],
  ...["x''", "x'00ff'", "x'31'", "x'7b7d'", "CAST(x'ff41' AS TEXT)", "CAST(x'c328' AS TEXT)"],
  // Larger than what is copied at a time, and with characters across the seams.
  ...["zeroblob(40000)", "replace(hex(zeroblob(20000)), '0', 'é')"],
  ...[`'["' || replace(hex(zeroblob(20000)), '00', '→') || '"]'`],
];

const drizzleColumns = {
  drizzle_integer: () => integer("v"),
  drizzle_boolean: () => integer("v", { mode: "boolean" }),
  drizzle_seconds: () => integer("v", { mode: "timestamp" }),
  drizzle_milliseconds: () => integer("v", { mode: "timestamp_ms" }),
  drizzle_text: () => text("v"),
  drizzle_enum: () => text("v", { enum: ["a", "b"] }),
  drizzle_json: () => text("v", { mode: "json" }),
  drizzle_real: () => real("v"),
  drizzle_numeric: () => numeric("v"),
  drizzle_numeric_number: () => numeric("v", { mode: "number" }),
  drizzle_numeric_bigint: () => numeric("v", { mode: "bigint" }),
  drizzle_blob: () => blob("v", { mode: "buffer" }),
  drizzle_blob_bigint: () => blob("v", { mode: "bigint" }),
  drizzle_blob_json: () => blob("v", { mode: "json" }),
  drizzle_custom: () => customType<{ data: unknown }>({ dataType: () => "any" })("v"),
  drizzle_custom_read: () =>
    customType<{ data: unknown }>({
      dataType: () => "any",
      fromDriver: (stored) => [typeof stored, stored],
    })("v"),
  drizzle_custom_null: () =>
    customType<{ data: unknown }>({ dataType: () => "any", fromDriver: () => null })("v"),
};

export interface OddTable {
  readonly name: string;
  readonly table: SQLiteTable & { readonly id: never; readonly v: never };
}

function oddTable(name: string, column: (prop: FieldBuilder) => Changeable): OddTable {
  const table = Table(name, (prop) => ({
    id: prop.integer().identifier(),
    v: column(prop) as never,
  }));
  return { name, table: table as never };
}

/** A table of that name for each type, all of one shape: `id` and `v`. They are views in SQL. */
export const oddTables: readonly OddTable[] = [
  ...TYPES.flatMap((type) => [
    oddTable(`odd_${type}`, (prop) => propertyOf(prop, type).optional()),
    oddTable(`odd_list_${type}`, (prop) => propertyOf(prop, type).array().optional()),
  ]),
  ...Object.entries(drizzleColumns).map(([name, column]) => ({
    name,
    table: sqliteTable(name, { id: integer("id"), v: (column as () => never)() }) as never,
  })),
];

export const oddStatements = [
  `CREATE TABLE "drizz""led" (id INTEGER PRIMARY KEY, "quo""ted" TEXT, made, expression, madeSql,
    updated, updated_sql, is_on, json, digits, twice AS (id * 2))`,
  `INSERT INTO "drizz""led" (id, "quo""ted", is_on, json, digits, updated) VALUES
    (1, 'it''s', 0, '[1]', '12345678901234567890', 5), (2, NULL, 1, NULL, 1, NULL)`,
  "CREATE TABLE odd (id INTEGER PRIMARY KEY, v)",
  ...STORED.map((value) => `INSERT INTO odd (v) VALUES (${value})`),
  ...oddTables.map(({ name }) => `CREATE VIEW "${name}" AS SELECT id, v FROM odd`),
];
