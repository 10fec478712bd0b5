// Queries of any form, made at random: the same for each database that is asked with the same seed.
import {
  aliasedTable,
  and,
  asc,
  between,
  Column,
  count,
  desc,
  eq,
  exists,
  getTableColumns,
  gt,
  gte,
  inArray,
  is,
  isNotNull,
  isNull,
  like,
  lt,
  lte,
  max,
  ne,
  not,
  notInArray,
  or,
  Param,
  Placeholder,
  sql,
  type SQL,
} from "drizzle-orm";
import type { Run, TestDatabase } from "./queries.js";
import { drizzled, everything, optionals, owners, people, pets } from "./tables.js";

// Drizzle's types know which columns a query has; here it is chance that does.
type Any = any;

const VALUES: Record<string, readonly unknown[]> = {
  bigint: [0n, 2n ** 62n, -1n],
  boolean: [true, false],
  blob: [new Uint8Array([1, 255])],
  datetime: [new Date(0), new Date(1_700_000_000_123)],
  node: [{ a: [1] }, [], "text"],
  enum: ["a", "b"],
  numbered: ["low", "none"],
  point: [{ x: 1, y: 2 }],
  born: [new Date(0)],
  tags: [[], ["old"]],
  updated: [new Date(5000)],
  json: [{ "a'b": null }],
  digits: [12345678901234567890n],
};
const TEXTS = ["Ada", "", `a"'?`, "é😀"];
const NUMBERS = [0, 1, 2, -1, 1.5, 2 ** 53 - 1];

class Chance {
  readonly db: Any;
  /** For the placeholders of the query. */
  readonly values: Record<string, unknown> = {};
  #state: number;

  constructor(db: TestDatabase, seed: number) {
    this.db = db;
    this.#state = seed * 2654435761 + 1;
  }

  // mulberry32, public domain, by Tommy Ettinger.
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  one<Item>(...items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  some<Item>(most: number, make: () => Item): Item[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }

  do(times: number, outOf: number): boolean {
    return this.below(outOf) < times;
  }

  table(): Any {
    return this.one<Any>(
      people,
      pets,
      everything,
      optionals,
      drizzled,
      aliasedTable(people, "boss"),
    );
  }

  column(table: Any): Any {
    return table[this.one(...Object.keys(getTableColumns(table)))];
  }

  value(column: Any): unknown {
    const [key] = Object.entries(getTableColumns(column.table)).find(
      ([, each]) => (each as Column).name === column.name,
    ) as [string, unknown];
    const values = VALUES[key] ?? (column.dataType === "string" ? TEXTS : NUMBERS);
    return this.one(...values);
  }

  place(): unknown {
    const name = `p${Object.keys(this.values).length}`;
    this.values[name] = this.one<unknown>(0, 1, 2, "Ada", null);
    return sql.placeholder(name);
  }

  operand(column: Any): Any {
    switch (this.below(8)) {
      case 0:
        return column;
      case 1:
        return this.place();
      case 2:
        return this.expression(column);
      case 3:
        return null;
      default:
        return this.value(column);
    }
  }

  expression(column: Any): SQL {
    return this.one(
      () => sql`upper(${column})`,
      () => sql`${column} || ${"x"}`,
      () => sql`${1} + ${this.one<unknown>(2, 2n, null, true)}`,
      () => sql`coalesce(${column}, ${this.one("a", "b'")}, ${7})`.inlineParams(),
      () => sql`max(${column}, ${sql.param(this.value(column), column)})`,
      () => sql.join([sql`1`, sql.raw("2"), sql`${3}`], sql` + `),
      () => sql`(${sql.identifier(column.name)})`,
      () => sql`iif(${this.condition(column.table, 1)}, ${column}, ${sql.empty()}0)`,
    )();
  }

  condition(table: Any, depth = 3): Any {
    const column = this.column(table);
    const form = this.below(depth > 0 ? 14 : 9);
    switch (form) {
      case 0:
        return isNull(column);
      case 1:
        return isNotNull(this.one<Any>(column, this.expression(column)));
      case 2:
        return this.one(inArray, notInArray)(
          column,
          this.some(3, () => this.value(column)),
        );
      case 3:
        return between(column, this.value(column), this.value(column));
      case 4:
        return like(column, this.one("%a%", "_"));
      case 5:
        return sql`${column} in ${this.some(2, () => this.one<unknown>(1, "Ada", null))}`;
      case 6:
        return sql`${this.expression(column)} is not ${this.one<unknown>(1, "1", undefined)}`;
      case 9:
        return not(this.condition(table, depth - 1));
      case 10:
        return exists(this.subquery());
      case 11:
        return inArray(column, this.subquery());
      case 12:
      case 13: {
        const parts = this.some(3, () =>
          this.do(1, 5) ? undefined : this.condition(table, depth - 1),
        );
        return this.one(and, or)(...parts);
      }
      default:
        return this.one(eq, ne, gt, gte, lt, lte)(column, this.operand(column));
    }
  }

  subquery(): Any {
    const table = this.one<Any>(people, pets);
    return this.db.select({ id: table.id }).from(table).where(this.condition(table, 1));
  }

  fields(tables: readonly Any[]): Any {
    const made = this.some(4, () => {
      const table = this.one(...tables);
      const column = this.column(table);
      return this.one<() => unknown>(
        () => column,
        () => column,
        () => table,
        () => this.expression(column).mapWith(String),
        () => this.expression(column).as("same"),
        () => ({ a: column, b: { c: this.expression(column) } }),
        () => count(this.one(undefined, column)),
        () => max(column),
        () => this.db.$count(people, gt(people.id, 1)),
        () => this.subquery().as("inner"),
      )();
    });
    return Object.fromEntries(made.map((field, index) => [`f${index}`, field]));
  }

  select(): Any {
    const { db } = this;
    const table = this.table();
    const tables = [table];
    const inner = db
      .select({ id: people.id, up: sql`upper(${people.name})`.as("up"), born: people.born })
      .from(people)
      .where(this.condition(people, 1));
    const cte = db.$with("cte").as(inner);
    const owner = this.one<Any>(db, db, db, db.with(cte));
    const begin = this.one("select", "select", "select", "selectDistinct");
    const fields = this.do(1, 2) ? undefined : this.fields(tables);
    const from = this.one<Any>(table, table, table, table, owners, inner.as("i"), cte, sql`people`);
    const source = owner === db && from === cte ? table : from;
    let query = owner[begin](fields).from(source);
    if (this.do(1, 3)) query = this.join(query, table);
    if (this.do(3, 4)) query = this.filtered(query, source === table ? table : undefined);
    if (this.do(1, 6)) query = query.groupBy(...this.some(2, () => this.column(table)));
    if (this.do(1, 8)) query = query.having(gt(count(), this.one(0, 1)));
    if (this.do(1, 8)) query = this.combined(query);
    if (this.do(1, 2)) query = query.orderBy(...this.order(table));
    if (this.do(1, 2)) query = query.limit(this.one<Any>(0, 1, 3, -1, this.place()));
    if (this.do(1, 3)) query = query.offset(this.one<Any>(0, 1, this.place()));
    return query;
  }

  join(query: Any, table: Any): Any {
    const other = this.one<Any>(pets, everything, aliasedTable(pets, "other"), owners);
    const column = other.id;
    const kind = this.one("leftJoin", "innerJoin", "rightJoin", "fullJoin", "crossJoin");
    if (kind === "crossJoin") return query.crossJoin(other);
    const on = this.do(1, 2) ? eq(column, table.id) : sql`${column} = ${this.value(table.id)}`;
    const joined = query[kind](other, on);
    return this.do(1, 4) ? joined.leftJoin(optionals, isNull(optionals.id)) : joined;
  }

  filtered(query: Any, table: Any): Any {
    if (!table) return query.where(sql`${1} = 1`);
    if (this.do(1, 4)) {
      return query.where((fields: Any) => {
        const column = Object.values(fields).find((field) => is(field, Column));
        return column && isNotNull(column as Column);
      });
    }
    return query.where(this.condition(table));
  }

  combined(query: Any): Any {
    try {
      return query[this.one("union", "unionAll", "intersect", "except")](this.subquery());
    } catch {
      return query; // They have other fields.
    }
  }

  order(table: Any): Any[] {
    return this.some(3, () => {
      const column = this.column(table);
      return this.one<() => unknown>(
        () => column,
        () => asc(column),
        () => desc(column),
        () => desc(this.expression(column)),
        () => sql`${column} collate nocase`,
      )();
    });
  }

  row(table: Any): Any {
    const columns = Object.entries(getTableColumns(table)).filter(() => this.do(2, 3));
    return Object.fromEntries(
      columns.map(([key, column]) => [
        key,
        this.one<() => unknown>(
          () => undefined,
          () => null,
          () => this.expression(people.name),
          () => this.place(),
          () => this.value(column),
          () => this.value(column),
          () => this.value(column),
        )(),
      ]),
    );
  }

  changed(): Any {
    return this.one<Any>(people, pets, everything, optionals, drizzled, drizzled);
  }

  insert(): Any {
    const table = this.changed();
    const rows = [this.row(table), ...this.some(2, () => this.row(table))];
    if (this.do(1, 8)) return this.db.insert(pets).select(this.db.select().from(pets));
    let query = this.db.insert(table).values(this.do(1, 2) ? rows : rows[0]);
    const where = this.do(1, 2) ? this.condition(table, 1) : undefined;
    if (this.do(1, 4)) query = query.onConflictDoNothing(this.one({}, { target: table.id, where }));
    if (this.do(1, 4)) {
      const set = { ...this.row(table), id: this.value(table.id) };
      query = query.onConflictDoUpdate({
        target: this.one<Any>(table.id, [table.id]),
        set,
        ...this.one({}, { targetWhere: where, setWhere: this.condition(table, 1) }),
      });
    }
    return this.returning(query, table);
  }

  update(): Any {
    const table = this.changed();
    let query = this.db.update(table).set({ ...this.row(table), id: this.value(table.id) });
    if (this.do(1, 8)) query = query.from(owners).leftJoin(pets, eq(pets.id, owners.id));
    if (this.do(3, 4)) query = query.where(this.condition(table));
    return this.ended(this.returning(query, table), table);
  }

  delete(): Any {
    const table = this.changed();
    let query = this.db.delete(table);
    if (this.do(3, 4)) query = query.where(this.condition(table));
    return this.ended(this.returning(query, table), table);
  }

  returning(query: Any, table: Any): Any {
    if (this.do(1, 2)) return query;
    return this.do(1, 2)
      ? query.returning()
      : query.returning({ id: table.id, ...this.fields([table]) });
  }

  ended(query: Any, table: Any): Any {
    if (this.do(1, 8)) query.orderBy(...this.order(table));
    if (this.do(1, 8)) query.limit(this.one(0, 1));
    return query;
  }
}

/** The queries of these seeds: reads are executed, of changes the SQL is answered. */
export function randomQueriesOf(db: TestDatabase, seeds: readonly number[]): Record<string, Run> {
  const runs: Record<string, Run> = {};
  for (const seed of seeds) {
    runs[`random read, seed ${seed}`] = async () => {
      const chance = new Chance(db, seed);
      const query = chance.select();
      const prepared = query.prepare();
      const method = chance.one("all", "get", "values");
      const hasPlaces = Object.keys(chance.values).length > 0;
      const runs = hasPlaces
        ? [() => prepared[method](chance.values)]
        : [() => query[method](), () => prepared[method](), () => query];
      const rows = [];
      for (const run of runs) rows.push(await answerOf(run));
      return [textOf(prepared.getQuery()), textOf(query.toSQL()), rows];
    };
    runs[`random change, seed ${seed}`] = async () => {
      const chance = new Chance(db, seed);
      const change = chance[chance.one("insert", "update", "delete")]();
      return [textOf(change.toSQL()), textOf(change.prepare().getQuery())];
    };
  }
  return runs;
}

// Drivers do not say alike which values they cannot bind, and chance makes many such.
async function answerOf(run: Run): Promise<unknown> {
  try {
    return await run();
  } catch {
    return "it failed";
  }
}

// Places for values are shown by their names: their columns lead to everything.
function textOf({ sql: text, params }: { sql: string; params: unknown[] }): unknown {
  const shown = (param: Any) =>
    param instanceof Placeholder
      ? param.name
      : param instanceof Param
        ? [(param.value as Placeholder).name, (param.encoder as unknown as Column).name]
        : param;
  return { text, params: params.map(shown) };
}
