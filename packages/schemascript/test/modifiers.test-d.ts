// Every type times the modifiers that types.test-d.ts does not name, and what cannot be combined.
import { sql } from "drizzle-orm";
import {
  search,
  Table,
  View,
  value,
  type FieldBuilder,
  type Found,
  type Searchable,
} from "schemascript";

type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
declare function same<One, Other>(equal: Equal<One, Other>): void;

interface Shape {
  a: string[];
}
type Values = {
  integer: number;
  bigint: bigint;
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
type Lists = { [Key in keyof Values]: Values[Key][] };

const arrays = Table("arrays", (prop) => ({
  integer: prop.integer().array(),
  bigint: prop.integer({ mode: "bigint" }).array(),
  real: prop.real().array(),
  text: prop.text().array(),
  blob: prop.blob().array(),
  boolean: prop.boolean().array(),
  datetime: prop.datetime().array(),
  node: prop.node<Shape>().array(),
  enum: prop.enum({ options: ["a", "b"] }).array(),
  numbered: prop.enum({ options: { low: 1, high: 2 } }).array(),
  custom: prop.custom<Shape>("shape").array(),
}));
same<typeof arrays.$inferSelect, Lists>(true);
same<typeof arrays.$inferInsert, Lists>(true);

const optionalArrays = Table("optional_arrays", (prop) => ({
  integer: prop.integer().array().optional(),
  text: prop.text().optional().array(),
  enum: prop
    .enum({ options: ["a", "b"] })
    .array()
    .default(["a"])
    .unique(),
}));
same<
  typeof optionalArrays.$inferSelect,
  { integer: number[] | null; text: string[] | null; enum: ("a" | "b")[] }
>(true);
same<
  typeof optionalArrays.$inferInsert,
  {
    integer?: number[] | null | undefined;
    text?: string[] | null | undefined;
    enum?: ("a" | "b")[] | undefined;
  }
>(true);

// What does not change a type.
const silent = Table("silent", (prop) => ({
  integer: prop
    .integer()
    .index()
    .check(sql`true`)
    .was("i")
    .describe("i")
    .min(0)
    .max(9),
  bigint: prop
    .integer({ mode: "bigint" })
    .index()
    .check(sql`true`)
    .was("b")
    .describe("b")
    .min(0n)
    .max(9n),
  real: prop
    .real()
    .index()
    .check(sql`true`)
    .was("r")
    .describe("r")
    .min(0.5)
    .max(9.5),
  text: prop
    .text()
    .index()
    .check(sql`true`)
    .was("t")
    .describe("t")
    .min(0)
    .max(9)
    .length(5)
    .pattern(/a/),
  blob: prop
    .blob()
    .index()
    .check(sql`true`)
    .was("l")
    .describe("l")
    .min(0)
    .max(9)
    .length(5),
  boolean: prop
    .boolean()
    .index()
    .check(sql`true`)
    .was("o")
    .describe("o"),
  datetime: prop
    .datetime()
    .index()
    .check(sql`true`)
    .was("d")
    .describe("d")
    .min(new Date(0))
    .max(new Date(9)),
  node: prop
    .node<Shape>()
    .index()
    .check(sql`true`)
    .was("n")
    .describe("n"),
  enum: prop
    .enum({ options: ["a", "b"] })
    .index()
    .check(sql`true`)
    .was("e")
    .describe("e"),
  numbered: prop
    .enum({ options: { low: 1, high: 2 } })
    .index()
    .check(sql`true`)
    .was("m")
    .describe("m"),
  custom: prop
    .custom<Shape>("shape")
    .index()
    .check((column) => sql`${column} <> ''`)
    .was("c")
    .describe("c"),
}));
same<typeof silent.$inferSelect, Values>(true);
same<typeof silent.$inferInsert, Values>(true);
const silentArrays = Table("silent_arrays", (prop) => ({
  boolean: prop
    .boolean()
    .array()
    .min(1)
    .max(3)
    .length(2)
    .index()
    .check(sql`true`),
  text: prop.text().array().min(1).max(3).length(2).was("t").describe("t"),
}));
same<typeof silentArrays.$inferInsert, { boolean: boolean[]; text: string[] }>(true);

// What SQLite computes is read, and never inserted or updated.
const generated = Table("generated", (prop) => ({
  given: prop.text(),
  integer: prop.integer().generated(sql`1`),
  bigint: prop.integer({ mode: "bigint" }).generated(sql`1`),
  real: prop.real().generated(sql`1.5`),
  text: prop.text().generated(sql`given`, { stored: true }),
  blob: prop.blob().generated(sql`x'00'`),
  boolean: prop.boolean().generated(sql`1`),
  datetime: prop.datetime().generated(sql`1`),
  node: prop.node<Shape>().generated(sql`'{}'`),
  enum: prop.enum({ options: ["a", "b"] }).generated(sql`'a'`),
  numbered: prop.enum({ options: { low: 1, high: 2 } }).generated(sql`1`),
  custom: prop.custom<Shape>("shape").generated(sql`1`),
  list: prop
    .text()
    .array()
    .generated(sql`'[]'`),
  maybe: prop
    .text()
    .optional()
    .generated(sql`NULL`),
  // Of the table itself, without an annotation.
  own: prop.text().generated(() => sql`lower(${generated.given})`),
}));
same<
  typeof generated.$inferSelect,
  { given: string } & Values & {
      list: string[];
      maybe: string | null;
      own: string;
    } extends infer All
    ? { [Key in keyof All]: All[Key] }
    : never
>(true);
same<typeof generated.$inferInsert, { given: string }>(true);

// What cannot be combined is refused, in any order.
Table("wrong", (prop) => ({
  // @ts-expect-error: an identifier cannot be an array
  a: prop.text().array().identifier(),
  // @ts-expect-error: an identifier cannot be an array
  b: prop.text().identifier().array(),
  // @ts-expect-error: an array cannot reference a column
  c: prop
    .integer()
    .array()
    .references(() => arrays.integer),
  // @ts-expect-error: an array cannot reference a column
  d: prop
    .integer()
    .references(() => arrays.integer)
    .array(),
  // @ts-expect-error: array() comes before default()
  e: prop.integer().default(1).array(),
  // @ts-expect-error: array() comes before the bounds
  f: prop.integer().min(1).array(),
  // @ts-expect-error: an array holds no arrays
  g: prop.integer().array().array(),
  // @ts-expect-error: the default of an array is an array
  h: prop.text().array().default("a"),
  // @ts-expect-error: its elements are texts
  i: prop.text().array().default([1]),
  // @ts-expect-error: now is no array
  j: prop.text().array().default(value.now),
  // @ts-expect-error: a generated column has no default
  k: prop
    .text()
    .default("a")
    .generated(sql`'b'`),
  // @ts-expect-error: a generated column has no default
  l: prop
    .text()
    .generated(sql`'b'`)
    .default("a"),
  // @ts-expect-error: a generated column cannot be an identifier
  m: prop
    .text()
    .generated(sql`'b'`)
    .identifier(),
  // @ts-expect-error: a generated column cannot be an identifier
  n: prop
    .integer()
    .identifier()
    .generated(sql`1`),
  // @ts-expect-error: SQL
  o: prop.text().generated("given"),
  // @ts-expect-error: SQL
  p: prop.text().check("given <> ''"),
  // @ts-expect-error: a bound of a bigint is a bigint
  q: prop.integer({ mode: "bigint" }).min(1),
  // @ts-expect-error: a bound of an integer is a number
  r: prop.integer().max(1n),
  // @ts-expect-error: a bound of a datetime is a Date
  s: prop.datetime().min(0),
  // @ts-expect-error: a boolean has no bounds
  t: prop.boolean().min(0),
  // @ts-expect-error: a node has no bounds
  u: prop.node<Shape>().max(1),
  // @ts-expect-error: an enum has no bounds
  v: prop.enum({ options: ["a"] }).min("a"),
  // @ts-expect-error: a custom type has no bounds
  w: prop.custom<number>("count").min(1),
  // @ts-expect-error: length() is for texts, blobs and arrays
  x: prop.integer().length(1),
  // @ts-expect-error: pattern() is for texts
  y: prop.integer().pattern(/1/),
  // @ts-expect-error: pattern() is for texts
  z: prop.text().array().pattern(/1/),
  // @ts-expect-error: a regular expression
  aa: prop.text().pattern("a"),
  // @ts-expect-error: a name
  bb: prop.text().was(5),
  // @ts-expect-error: text
  cc: prop.text().describe(5),
  // @ts-expect-error: the default of a bound array counts, and is an array still
  dd: prop.text().array().min(1).default("a"),
  // @ts-expect-error: no such option
  ee: prop.integer().references(() => arrays.integer, { onDelet: "cascade" }),
}));

// Extras.
const notes = Table(
  "notes",
  (prop) => ({
    id: prop.integer().identifier(),
    title: prop.text(),
    body: prop.text().optional(),
    size: prop.integer(),
  }),
  (columns) => ({
    unique: [["title", columns.size]],
    indexes: [
      { on: [columns.title, sql`lower(${columns.title})`], where: sql`${columns.size} > 0` },
      { on: ["size"], unique: true, name: "notes_by_size" },
    ],
    checks: { notes_small: sql`${columns.size} < 100` },
    search: ["title", "body"],
  }),
);
same<typeof notes.$inferInsert.size, number>(true);
const found = search(notes, "word");
same<typeof found, Found<"title" | "body">>(true);
export const searchable: Searchable<"title" | "body"> = notes;
found.highlight("title", "<", ">");
// @ts-expect-error: search does not read the size
found.highlight("size", "<", ">");
// @ts-expect-error: this table has no search
search(arrays, "word");

const links = Table(
  "links",
  (prop) => ({ from: prop.integer(), to: prop.integer(), note: prop.text().optional() }),
  {
    identifier: ["from", "to"],
    withoutRowid: true,
    strict: false,
    foreignKeys: [
      { columns: ["from", "to"], references: () => [links.to, links.from], onDelete: "cascade" },
    ],
  },
);
same<typeof links.$inferInsert, { from: number; to: number; note?: string | null | undefined }>(
  true,
);

const builder = (prop: FieldBuilder) => ({
  id: prop.integer().identifier(),
  name: prop.text(),
  nick: prop.text().optional(),
});
const noId = (prop: FieldBuilder) => ({ name: prop.text() });
// @ts-expect-error: no such column
Table("w1", builder, { unique: [["name", "mail"]] });
// @ts-expect-error: an identifier cannot be optional
Table("w2", builder, { identifier: ["name", "nick"] });
// @ts-expect-error: no such column
Table("w3", builder, { indexes: [{ on: ["mail"] }] });
// @ts-expect-error: search reads texts
Table("w4", builder, { search: ["id"] });
// @ts-expect-error: search needs an integer identifier
Table("w5", noId, { search: ["name"] });
// @ts-expect-error: SQL
Table("w6", builder, { checks: ["name <> ''"] });
// @ts-expect-error: no such extra
Table("w7", builder, { uniques: [["name"]] });
// @ts-expect-error: a function that answers columns
Table("w8", builder, { foreignKeys: [{ columns: ["name"], references: [notes.title] }] });

// Views.
const titles = View("titles", (query) =>
  query.select({ title: notes.title, loud: sql<string>`upper(title)`.as("loud") }).from(notes),
);
same<typeof titles.$inferSelect, { title: string; loud: string }>(true);
// @ts-expect-error: a select
View("nothing", () => notes);
