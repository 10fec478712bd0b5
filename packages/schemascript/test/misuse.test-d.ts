// Every misuse that the types promise to catch.
import { database, Schema, Table, value } from "schemascript";

Schema("identifiers", (prop) => ({
  // @ts-expect-error: an identifier cannot be optional
  a: prop.integer().identifier().optional(),
  // @ts-expect-error: an identifier cannot be optional
  b: prop.integer().optional().identifier(),
  // @ts-expect-error: an identifier cannot be optional
  c: prop.text().identifier().optional(),
  // @ts-expect-error: autoIncrement needs an integer
  d: prop.text().identifier({ autoIncrement: true }),
  // @ts-expect-error: autoIncrement needs an integer
  e: prop.datetime().identifier({ autoIncrement: true }),
  // @ts-expect-error: an integer identifier has no default
  f: prop.integer().identifier().default(1),
  // @ts-expect-error: an integer identifier has no default
  g: prop.integer().default(1).identifier(),
  // @ts-expect-error: an integer identifier has no default
  h: prop.integer({ mode: "bigint" }).identifier().default(1n),
}));

Schema("defaults", (prop) => ({
  // @ts-expect-error: a number
  a: prop.integer().default("1"),
  // @ts-expect-error: a number, not a bigint
  b: prop.integer().default(1n),
  // @ts-expect-error: a bigint
  c: prop.integer({ mode: "bigint" }).default(1),
  // @ts-expect-error: a string
  d: prop.text().default(1),
  // @ts-expect-error: a number
  e: prop.real().default("1"),
  // @ts-expect-error: bytes
  f: prop.blob().default("a"),
  // @ts-expect-error: a boolean
  g: prop.boolean().default(1),
  // @ts-expect-error: a Date
  h: prop.datetime().default(0),
  // @ts-expect-error: one of the options
  i: prop.enum({ options: ["a", "b"] }).default("c"),
  // @ts-expect-error: one of the names
  j: prop.enum({ options: { low: 1 } }).default(1),
  // @ts-expect-error: the shape
  k: prop.node<{ a: string }>().default({ a: 1 }),
  // @ts-expect-error: now is no real
  l: prop.real().default(value.now()),
  // @ts-expect-error: now is no blob
  m: prop.blob().default(value.now),
  // @ts-expect-error: now is no boolean
  n: prop.boolean().default(value.now),
  // @ts-expect-error: a uuid is text
  o: prop.integer().default(value.uuid()),
  // @ts-expect-error: NULL is what an optional column has without a default
  p: prop.text().optional().default(null),
}));

const Users = Schema("users", (prop) => ({ id: prop.integer().identifier() }));

Schema("references", (prop) => ({
  // @ts-expect-error: a function that answers the column
  a: prop.integer().references(Users.id),
  // @ts-expect-error: no such column
  b: prop.integer().references(() => Users.name),
  // @ts-expect-error: no such action
  c: prop.integer().references(() => Users.id, { onDelete: "explode" }),
}));

Schema("types", (prop) => ({
  // @ts-expect-error: no such mode
  a: prop.integer({ mode: "string" }),
  // @ts-expect-error: at least one option
  b: prop.enum({ options: [] }),
  // @ts-expect-error: the options
  c: prop.enum("c"),
  // @ts-expect-error: a name
  d: prop.custom<string>(),
  // @ts-expect-error: a Date is not text: conversions
  e: prop.custom<Date>("date", { storage: "text" }),
  f: prop.custom<Date>("date", {
    storage: "text",
    // @ts-expect-error: toDriver answers what is stored
    toDriver: (date) => date.getTime(),
    fromDriver: () => new Date(),
  }),
  // @ts-expect-error: no such storage
  g: prop.custom<string>("text", { storage: "varchar" }),
}));

// @ts-expect-error: properties only
Schema("values", () => ({ a: "text" }));
// @ts-expect-error: a builder
Schema("nothing");
// @ts-expect-error: a builder or a schema
Table("nothing");

const users = Table(Users);
const db = database({ users });
// @ts-expect-error: no such table
db.query.posts;
// @ts-expect-error: a number
void db.insert(users).values({ id: "1" });
