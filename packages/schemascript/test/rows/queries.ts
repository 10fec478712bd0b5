// Queries of every form, for two databases that must answer the same.
import {
  aliasedTable,
  asc,
  avg,
  count,
  countDistinct,
  eq,
  gt,
  inArray,
  isNull,
  max,
  min,
  sql,
  sum,
} from "drizzle-orm";
import { except, intersect, union, unionAll } from "drizzle-orm/sqlite-core";
import { search, type Database } from "schemascript";
import { everything, lists, oddTables, optionals, owners, people, pets, STORED } from "./tables.js";
import type { schema } from "./tables.js";

export type TestDatabase = Database<typeof schema>;
export type Run = () => PromiseLike<unknown>;

/** What the tables hold when the queries run. Written once, through one of the databases. */
export async function fill(db: TestDatabase): Promise<void> {
  await db.insert(people).values([
    { id: 1, name: "Ada", nick: null, born: new Date(0) },
    { id: 2, name: "Bob", nick: "bobby", bossId: 1 },
    { id: 3, name: "Cy", nick: "", bossId: 1, born: new Date(-1) },
  ]);
  await db.insert(pets).values([
    { id: 1, ownerId: 1, name: "Rex", weight: 1.5, tags: ["old", "é"] },
    { id: 2, ownerId: 1, name: "Tom", weight: 2, tags: [] },
    { id: 3, ownerId: null, name: "Kit" },
  ]);
  const values = {
    integer: -(2 ** 53 - 1),
    bigint: 2n ** 63n - 1n,
    real: 0.1,
    text: "a\0é😀",
    blob: new Uint8Array([0, 255, 128]),
    boolean: true,
    datetime: new Date(1_700_000_000_123),
    node: { a: [1, null, { b: "\0" }] },
    enum: "b" as const,
    numbered: "low" as const,
    plain: "plain",
    point: { x: 1, y: -2.5 },
  };
  const others = { ...values, integer: 0, bigint: 1n, real: 3, text: "", boolean: false };
  await db.insert(everything).values([values, { ...others, blob: new Uint8Array(), node: [1] }]);
  await db.insert(optionals).values([values, { id: 2 } as never]);
  const listed = Object.fromEntries(Object.entries(values).map(([key, each]) => [key, [each]]));
  const empty = Object.fromEntries(Object.keys(values).map((key) => [key, []]));
  await db.insert(lists).values([listed as never, empty as never, { id: 3 } as never]);
}

/** Every form of a query; by a name that is shown where the answers differ. */
export function queriesOf(db: TestDatabase): Record<string, Run> {
  return {
    ...selects(db),
    ...joins(db),
    ...nested(db),
    ...computed(db),
    ...combined(db),
    ...relational(db),
    ...writes(db),
    ...odd(db),
  };
}

// Which values a decoder refuses is part of what must be the same: each is read for itself, and
// those that none refuses once more together.
function odd(db: TestDatabase): Record<string, Run> {
  const runs: Record<string, Run> = {};
  for (const { name, table } of oddTables) {
    const one = db
      .select()
      .from(table)
      .where(eq(table.id, sql.placeholder("id")))
      .prepare();
    const readable: number[] = [];
    STORED.forEach((value, index) => {
      runs[`${name}: ${value}`] = () =>
        one.get({ id: index + 1 }).then((row) => {
          readable.push(index + 1);
          return row;
        });
    });
    runs[`${name}: all`] = () =>
      db.select().from(table).where(inArray(table.id, readable)).orderBy(asc(table.id));
    runs[`${name}: left join`] = () =>
      db
        .select()
        .from(people)
        .leftJoin(table, eq(table.id, people.id))
        .where(inArray(table.id, readable));
  }
  for (const [name, decoder] of Object.entries(DECODERS)) {
    const expression = decoder ? sql`v`.mapWith(decoder as never) : sql`v`;
    const one = db
      .select({ v: expression })
      .from(sql`odd`)
      .where(sql`id = ${sql.placeholder("id")}`)
      .prepare();
    STORED.forEach((value, index) => {
      runs[`mapWith(${name}): ${value}`] = () => one.get({ id: index + 1 });
    });
  }
  return runs;
}

const DECODERS: Record<string, unknown> = {
  nothing: undefined,
  Number,
  BigInt,
  String,
  Boolean,
  "JSON.parse": JSON.parse,
  function: (stored: unknown) => [typeof stored, stored],
  object: { mapFromDriverValue: (stored: unknown) => ({ stored }) },
  column: everything.datetime,
};

function selects(db: TestDatabase): Record<string, Run> {
  const byId = db
    .select()
    .from(everything)
    .where(eq(everything.id, sql.placeholder("id")))
    .prepare();
  return {
    everything: () => db.select().from(everything),
    optionals: () => db.select().from(optionals),
    lists: () => db.select().from(lists),
    "no rows": () => db.select().from(people).where(eq(people.id, 99)),
    get: () => db.select().from(everything).get(),
    "get nothing": () => db.select().from(people).where(eq(people.id, 99)).get(),
    values: () => db.select().from(everything).values(),
    prepared: () => byId.all({ id: 1 }),
    "prepared get": () => byId.get({ id: 2 }),
    "prepared get nothing": () => byId.get({ id: 3 }),
    "prepared without a value": () => byId.get({}),
    distinct: () => db.selectDistinct({ boss: people.bossId }).from(people).orderBy(people.bossId),
    view: () => db.select().from(owners).orderBy(asc(owners.id)),
    search: () => {
      const found = search(people, "a*");
      return db
        .select({ id: people.id, rank: found.rank, marked: found.highlight("name", "<", ">") })
        .from(people)
        .where(found);
    },
    $count: () => db.$count(people, gt(people.id, 1)),
    "raw all": () => db.all(sql`select 1, 'a', null, 1.5, x'00'`),
    "raw get": () => db.get(sql`select 1, 'a'`),
    "raw get nothing": () => db.get(sql`select 1 where 0`),
    "raw values": () => db.values(sql`select 9007199254740993, 9e999`),
  };
}

function joins(db: TestDatabase): Record<string, Run> {
  const boss = aliasedTable(people, "boss");
  const staff = aliasedTable(people, "staff");
  const on = eq(pets.ownerId, people.id);
  const heavy = db.select().from(pets).where(gt(pets.weight, 1.6)).as("heavy");
  return {
    left: () => db.select().from(people).leftJoin(pets, on),
    "left, the other way": () => db.select().from(pets).leftJoin(people, on),
    inner: () => db.select().from(people).innerJoin(pets, on),
    right: () => db.select().from(people).rightJoin(pets, on),
    full: () => db.select().from(people).fullJoin(pets, on),
    cross: () => db.select().from(people).crossJoin(pets),
    self: () => db.select().from(people).leftJoin(boss, eq(boss.id, people.bossId)),
    "self, inner": () => db.select().from(people).innerJoin(boss, eq(boss.id, people.bossId)),
    "of three": () =>
      db
        .select()
        .from(people)
        .leftJoin(boss, eq(boss.id, people.bossId))
        .leftJoin(staff, eq(staff.bossId, people.id))
        .leftJoin(pets, on),
    "left, then inner": () =>
      db.select().from(people).leftJoin(boss, eq(boss.id, people.bossId)).innerJoin(pets, on),
    "left, then right": () =>
      db.select().from(people).leftJoin(boss, eq(boss.id, people.bossId)).rightJoin(pets, on),
    subquery: () => db.select().from(people).leftJoin(heavy, eq(heavy.ownerId, people.id)),
    view: () => db.select().from(pets).leftJoin(owners, eq(owners.id, pets.ownerId)),
    everything: () => db.select().from(people).leftJoin(everything, eq(everything.id, people.id)),
    get: () => db.select().from(people).leftJoin(pets, on).where(eq(people.id, 2)).get(),
    "one column of each": () =>
      db.select({ owner: people.name, pet: pets.name }).from(people).leftJoin(pets, on),
  };
}

function nested(db: TestDatabase): Record<string, Run> {
  const on = eq(pets.ownerId, people.id);
  const from = <Fields extends Record<string, unknown>>(fields: Fields) =>
    db
      .select(fields as never)
      .from(people)
      .leftJoin(pets, on);
  return {
    "a table and a column": () => from({ owner: people, pet: pets.name }),
    "a missing table": () => from({ pet: pets, owner: people.id }),
    objects: () => from({ owner: { id: people.id, name: people.name }, pet: { id: pets.id } }),
    "the first column is NULL": () => from({ owner: { nick: people.nick, id: people.id } }),
    "the first is NULL, of a missing table": () =>
      from({ pet: { weight: pets.weight, id: pets.id } }),
    "two tables in one object": () => from({ both: { pet: pets.id, owner: people.id } }),
    "two missing tables in one object": () => from({ both: { owner: people.nick, pet: pets.id } }),
    "an expression first": () => from({ pet: { up: sql`upper(${pets.name})`, id: pets.id } }),
    "an expression last": () => from({ pet: { id: pets.id, one: sql`1` } }),
    "expressions only": () => from({ pet: { up: sql`upper(${pets.name})` } }),
    "three levels": () => from({ a: { b: { pet: pets.id, owner: people.id }, pet: pets.name } }),
    "three levels, nothing else": () => from({ a: { b: { pet: pets.id } } }),
    "a table in an object": () => from({ a: { pets, people } }),
    "an empty object": () => from({ id: people.id, none: {} }),
    "numbers as names": () => from({ b: people.id, 2: people.name, 1: pets.id, x: { 1: pets.id } }),
    "names of every object": () => from({ toString: people.id, valueOf: pets.id }),
    "names of every object, nested": () => from({ constructor: { name: pets.name } }),
    __proto__: () => from({ ["__proto__"]: people.id, id: people.id }),
    "__proto__, nested": () => from({ a: { ["__proto__"]: pets.id, id: pets.id } }),
    "a name with NUL": () => from({ "a\0b": people.id, é: pets.id, "": people.name }),
    then: () => from({ then: people.id }),
  };
}

function computed(db: TestDatabase): Record<string, Run> {
  const perOwner = db.$with("per_owner").as(
    db
      .select({ owner: pets.ownerId, pets: count().as("pets"), first: min(pets.name).as("first") })
      .from(pets)
      .groupBy(pets.ownerId),
  );
  const inner = db
    .select({
      id: people.id,
      born: people.born,
      up: sql<string>`upper(${people.name})`.as("up"),
      twice: sql<number>`2 * ${people.id}`.mapWith(BigInt).as("twice"),
    })
    .from(people)
    .as("inner");
  const total = db.select({ n: count() }).from(pets).as("total");
  return {
    aggregates: () =>
      db
        .select({
          count: count(),
          of: count(pets.ownerId),
          distinct: countDistinct(pets.ownerId),
          sum: sum(pets.weight),
          avg: avg(pets.weight),
          min: min(pets.name),
          max: max(pets.weight),
          born: sql`max(${people.born})`.mapWith(people.born),
          big: sql`9223372036854775807`.mapWith(Number),
        })
        .from(pets)
        .leftJoin(people, eq(pets.ownerId, people.id)),
    "aggregates of nothing": () =>
      db
        .select({ count: count(), sum: sum(pets.weight), avg: avg(pets.weight), max: max(pets.id) })
        .from(pets)
        .where(eq(pets.id, 99)),
    "aggregate with a column's decoder": () => db.select({ born: max(people.born) }).from(people),
    grouped: () => db.select({ owner: pets.ownerId, n: count() }).from(pets).groupBy(pets.ownerId),
    aliased: () => db.select({ n: sql`count(*)`.mapWith(String).as("n") }).from(pets),
    subquery: () => db.select().from(inner),
    "fields of a subquery": () =>
      db.select({ a: inner.up, b: { c: inner.twice, d: inner.born } }).from(inner),
    "a subquery as a value": () => db.select({ id: people.id, total: total as never }).from(people),
    cte: () =>
      db.with(perOwner).select().from(perOwner).leftJoin(people, eq(people.id, perOwner.owner)),
    "more columns than fields": () =>
      db
        .select({ a: sql`1, 2`, b: sql`3` })
        .from(people)
        .limit(1),
    "fewer columns than fields": () =>
      db
        .select({ a: sql`1`, b: sql``.mapWith(String) })
        .from(people)
        .limit(1),
  };
}

function combined(db: TestDatabase): Record<string, Run> {
  const ids = () => db.select({ id: people.id, name: people.name }).from(people);
  const others = () => db.select({ id: pets.id, name: pets.name }).from(pets);
  return {
    union: () => union(ids(), others()).orderBy(sql`1, 2`),
    "union all": () => unionAll(ids(), others()).orderBy(sql`1, 2`),
    intersect: () => intersect(ids(), ids().where(gt(people.id, 1))),
    except: () => except(ids(), ids().where(gt(people.id, 1))),
  };
}

function relational(db: TestDatabase): Record<string, Run> {
  return {
    findMany: () => db.query.people.findMany({ with: { pets: true, boss: true, staff: true } }),
    "findMany, some columns": () =>
      db.query.people.findMany({
        columns: { name: true },
        extras: { up: sql<string>`upper(${people.name})`.as("up") },
        with: { pets: { columns: { tags: true }, with: { owner: true } } },
      }),
    "findMany, every type": () => db.query.optionals.findMany(),
    findFirst: () =>
      db.query.pets.findFirst({ where: isNull(pets.ownerId), with: { owner: true } }),
    "findFirst, nothing": () => db.query.pets.findFirst({ where: eq(pets.id, 99) }),
  };
}

function writes(db: TestDatabase): Record<string, Run> {
  const row = { id: 50, name: "New", tags: ["a"], weight: 1 };
  const isNew = eq(pets.id, row.id);
  const both = { id: pets.id, owner: pets.ownerId };
  return {
    "a value that is refused": () => db.insert(pets).values({ ...row, weight: NaN }),
    // One after the other, so that all is as it was at the end.
    returning: async () => [
      await db.insert(pets).values(row).returning(),
      await db
        .insert(pets)
        .values(row)
        .onConflictDoUpdate({ target: pets.id, set: { name: "Newer" } })
        .returning({ name: pets.name, both: both as never }),
      await db.update(pets).set({ weight: null }).where(isNew).returning(),
      await db.update(pets).set({ ownerId: 1 }).where(isNew).returning().get(),
      await db
        .delete(pets)
        .where(isNew)
        .returning({ n: sql`${pets.name}`.mapWith(String) }),
      await db.delete(pets).where(isNew).returning(),
      await db.delete(pets).where(isNew).returning().get(),
    ],
  };
}
