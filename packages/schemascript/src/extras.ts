// What a table has beyond its columns: keys of several columns, indexes, checks, options, search.
import { Column, getTableName, is, SQL } from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { invalidSchema } from "./errors.js";
import { expressionText } from "./expression.js";
import type { Facts, Misuse, ReferenceAction } from "./property.js";
import type {
  ForeignKeyShape,
  IndexPart,
  IndexShape,
  TableCheckShape,
  TableShape,
  UniqueShape,
} from "./registry.js";
import type { PropertyMap } from "./schema.js";
import { createdTable } from "./sql-text.js";

type Keys<Map extends PropertyMap> = keyof Map & string;

// All keys of a map of which nothing is known: TypeScript holds extras against one before it looks at
// the builder.
type KeysWhere<Map extends PropertyMap, Wanted extends Partial<Facts>> = string extends keyof Map
  ? string
  : {
      [Key in Keys<Map>]: Map[Key]["_"]["facts"] extends Wanted ? Key : never;
    }[Keys<Map>];

/** The columns that full-text search can read: text, and no arrays of it. */
export type SearchKeys<Map extends PropertyMap> = KeysWhere<
  Map,
  { readonly type: "text"; readonly array: false }
>;

/** A column of the table: its key, or the column itself. */
type ColumnOf<Map extends PropertyMap> = Keys<Map> | AnySQLiteColumn;

type Columns<Map extends PropertyMap> = readonly [ColumnOf<Map>, ...ColumnOf<Map>[]];

/**
 * An index: of columns and expressions, of all rows or of those for which `where` holds.
 *
 * @example
 * ```ts
 * import { sql } from "drizzle-orm";
 * import { Table, type IndexExtra } from "schemascript";
 *
 * const byName: IndexExtra = { on: [sql`lower(name)`], unique: true, where: sql`active = 1` };
 * const users = Table("users", (prop) => ({ name: prop.text(), active: prop.boolean() }), {
 *   indexes: [byName],
 * });
 * ```
 */
export interface IndexExtra<Map extends PropertyMap = PropertyMap> {
  readonly on: readonly [ColumnOf<Map> | SQL, ...(ColumnOf<Map> | SQL)[]];
  readonly unique?: boolean;
  readonly where?: SQL;
  /** Otherwise it is made of the names of table and columns. */
  readonly name?: string;
}

/**
 * A foreign key of several columns.
 *
 * @example
 * ```ts
 * import { Table, type ForeignKeyExtra } from "schemascript";
 *
 * const seats = Table("seats", (prop) => ({ row: prop.integer(), number: prop.integer() }), {
 *   identifier: ["row", "number"],
 * });
 * const seat: ForeignKeyExtra = {
 *   columns: ["row", "number"],
 *   references: () => [seats.row, seats.number],
 *   onDelete: "cascade",
 * };
 * const tickets = Table("tickets", (prop) => ({ row: prop.integer(), number: prop.integer() }), {
 *   foreignKeys: [seat],
 * });
 * ```
 */
export interface ForeignKeyExtra<Map extends PropertyMap = PropertyMap> {
  readonly columns: Columns<Map>;
  /** A function that answers as many columns; its type is not looked at, as `references` tells. */
  readonly references: Function;
  readonly onDelete?: ReferenceAction;
  readonly onUpdate?: ReferenceAction;
  /** Whether it is checked at the end of a transaction (DEFERRABLE INITIALLY DEFERRED). */
  readonly deferred?: boolean;
  readonly name?: string;
}

/**
 * Columns that are unique together by a constraint of the table, not by an index of its own.
 *
 * @example
 * ```ts
 * import { Table, type UniqueExtra } from "schemascript";
 *
 * const place: UniqueExtra = { on: ["row", "number"], constraint: true };
 * const seats = Table("seats", (prop) => ({ row: prop.integer(), number: prop.integer() }), {
 *   unique: [place],
 * });
 * ```
 */
export interface UniqueExtra<Map extends PropertyMap = PropertyMap> {
  readonly on: Columns<Map>;
  /** `true`: UNIQUE among the table's constraints, as databases have it that were made by hand. */
  readonly constraint?: boolean;
}

/**
 * What a table has beyond its columns.
 *
 * @example
 * ```ts
 * import { Table, type TableExtras } from "schemascript";
 *
 * const loose: TableExtras = { strict: false };
 * const notes = Table("notes", (prop) => ({ anything: prop.custom<unknown>("any") }), loose);
 * ```
 */
export interface TableExtras<
  Map extends PropertyMap = PropertyMap,
  Search extends readonly string[] = readonly SearchKeys<Map>[],
> {
  /** The primary key of several columns. */
  readonly identifier?: readonly [
    KeysWhere<Map, { readonly required: true }> | AnySQLiteColumn,
    ...(KeysWhere<Map, { readonly required: true }> | AnySQLiteColumn)[],
  ];
  /** Lists of columns whose values are unique together. */
  readonly unique?: readonly (Columns<Map> | UniqueExtra<Map>)[];
  readonly indexes?: readonly IndexExtra<Map>[];
  /** Conditions of each row: a list, or by name. */
  readonly checks?: readonly SQL[] | { readonly [name: string]: SQL };
  readonly foreignKeys?: readonly ForeignKeyExtra<Map>[];
  /** `false` lets SQLite store any type in any column. */
  readonly strict?: boolean;
  /** Stores the rows in the primary key itself; the table must have one that it is given. */
  readonly withoutRowid?: boolean;
  /** The texts of full-text search, which `search()` queries. Needs an integer identifier. */
  readonly search?: Search &
    readonly SearchKeys<Map>[] &
    (KeysWhere<
      Map,
      { readonly identifier: true; readonly type: "integer" | "bigint" }
    > extends never
      ? Misuse<typeof EXTRAS.searchIdentifier>
      : unknown);
  /**
   * The table's CREATE TABLE, for one that nothing else here can say: it is executed as it is
   * written. The columns, their keys and references are then for queries and for the outputs only.
   */
  readonly statement?: SQL;
  /** The table's name before it was renamed. */
  readonly was?: string;
  /** What the table is for, for people. */
  readonly describe?: string;
}

/** The sentences for extras that cannot be: the same in a type error and in an exception. */
export const EXTRAS = {
  searchIdentifier: "search needs an integer identifier",
} as const;

/** Adds extras to a shape, and checks that they can be. */
export function withExtras(base: TableShape, extras: unknown): TableShape {
  if (typeof extras !== "object" || extras === null) {
    throw invalidSchema(`${base.name}: the extras are an object, or a function that answers one`);
  }
  const known = ["identifier", "unique", "indexes", "checks", "foreignKeys", "strict"].concat([
    "withoutRowid",
    "search",
    "statement",
    "was",
    "describe",
  ]);
  const unknown = Object.keys(extras).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw invalidSchema(`${base.name}: there is no extra "${unknown}": ${known.join(", ")}`);
  }
  const given = extras as TableExtras;
  const identifier = given.identifier && keysOf(base, given.identifier, "its identifier");
  const shape: TableShape = Object.freeze({
    ...base,
    strict: given.strict ?? true,
    withoutRowid: given.withoutRowid ?? false,
    ...(identifier && { identifier }),
    uniques: Object.freeze((given.unique ?? []).map((columns) => uniqueShape(base, columns))),
    indexes: Object.freeze((given.indexes ?? []).map((index) => indexShape(base, index))),
    checks: Object.freeze(checkShapes(base, given.checks ?? [])),
    foreignKeys: Object.freeze((given.foreignKeys ?? []).map((key) => keyShape(base, key))),
    ...(given.search && {
      search: Object.freeze({
        name: `${base.name}_search`,
        columns: keysOf(base, given.search as readonly string[], "its search"),
      }),
    }),
    ...(given.statement !== undefined && { statement: statementShape(base, given.statement) }),
    ...(given.was !== undefined && { was: given.was }),
    ...(given.describe !== undefined && { description: given.describe }),
  });
  checkShape(shape);
  return shape;
}

function checkShape(shape: TableShape): void {
  const fail = (why: string) => invalidSchema(`${shape.name}: ${why}`);
  const single = shape.columns.find((column) => column.identifier);
  if (shape.identifier) {
    if (single) throw fail("a table has one identifier");
    for (const column of shape.columns.filter(({ key }) => shape.identifier?.includes(key))) {
      if (!column.required) throw fail("an identifier cannot be optional");
      if (column.array) throw fail("an identifier cannot be an array");
      if (column.generated) throw fail("a generated column cannot be an identifier");
    }
  }
  if (shape.withoutRowid) {
    if (!single && !shape.identifier) throw fail("a table without rowid needs an identifier");
    if (single?.autoIncrement) throw fail("a table without rowid has no autoIncrement");
    if (shape.search) throw fail("a table without rowid has no search");
  }
  if (shape.search) {
    if (single?.type !== "integer" && single?.type !== "bigint") {
      throw fail(EXTRAS.searchIdentifier);
    }
    for (const key of shape.search.columns) {
      const column = shape.columns.find((each) => each.key === key);
      if (column?.type !== "text" || column.array) throw fail("search reads texts");
      if (["rank", "rowid"].includes(column.name.toLowerCase())) {
        throw fail(`search keeps the name ${column.name} for itself`);
      }
    }
  }
  const ofColumns = shape.columns.flatMap(({ name, unique, uniqueConstraint, index }) => [
    ...(unique && !uniqueConstraint ? [`${shape.name}_${name}_unique`] : []),
    ...(index ? [`${shape.name}_${name}_index`] : []),
  ]);
  const uniques = shape.uniques.filter(({ constraint }) => !constraint);
  const ofTable = [...uniques, ...shape.indexes, ...shape.checks].map(({ name }) => name);
  const names = [...ofColumns, ...ofTable].map((name) => name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw fail(`two indexes or checks are called ${twice}: name one of them`);
}

function keysOf(
  table: TableShape,
  columns: readonly (string | AnySQLiteColumn)[],
  what: string,
): readonly string[] {
  if (!Array.isArray(columns) || columns.length === 0) {
    throw invalidSchema(`${table.name}: ${what} is a list of columns, at least one`);
  }
  const keys = columns.map((column) => keyOf(table, column, what));
  if (new Set(keys).size !== keys.length) {
    throw invalidSchema(`${table.name}: ${what} names a column twice`);
  }
  return Object.freeze(keys);
}

function keyOf(table: TableShape, column: unknown, what: string): string {
  const found = is(column, Column)
    ? getTableName(column.table) === table.name &&
      table.columns.find(({ name }) => name === column.name)
    : table.columns.find(({ key }) => key === column);
  if (!found) {
    const name = is(column, Column) ? column.name : String(column);
    throw invalidSchema(`${table.name}: ${what} names ${name}, which is no column of it`);
  }
  return found.key;
}

function nameOf(table: TableShape, keys: readonly string[], suffix: string): string {
  const names = keys.map((key) => table.columns.find((column) => column.key === key)?.name ?? key);
  return [table.name, ...names, suffix].join("_");
}

function uniqueShape(
  table: TableShape,
  given: readonly (string | AnySQLiteColumn)[] | UniqueExtra,
): UniqueShape {
  const { on, constraint } = "on" in given ? given : { on: given, constraint: false };
  const keys = keysOf(table, on, "its unique");
  const name = nameOf(table, keys, "unique");
  return Object.freeze({ name, columns: keys, ...(constraint && { constraint }) });
}

function statementShape(table: TableShape, statement: unknown): SQL {
  if (!is(statement, SQL)) throw invalidSchema(`${table.name}: its statement is SQL`);
  const created = createdTable(expressionText(statement, `${table.name}: its statement`));
  if (created?.toLowerCase() !== table.name.toLowerCase()) {
    throw invalidSchema(`${table.name}: its statement is the CREATE TABLE of this table`);
  }
  return statement;
}

function indexShape(table: TableShape, index: IndexExtra): IndexShape {
  if (!Array.isArray(index.on) || index.on.length === 0) {
    throw invalidSchema(`${table.name}: an index is on columns or SQL, at least one`);
  }
  const on = index.on.map(
    (part): IndexPart => (is(part, SQL) ? part : keyOf(table, part, "an index")),
  );
  const keys = on.map((part) => (typeof part === "string" ? part : "sql"));
  const unique = index.unique ?? false;
  if (index.where !== undefined && !is(index.where, SQL)) {
    throw invalidSchema(`${table.name}: the where of an index is SQL`);
  }
  return Object.freeze({
    name: index.name ?? nameOf(table, keys, unique ? "unique" : "index"),
    unique,
    on: Object.freeze(on),
    ...(index.where && { where: index.where }),
  });
}

function checkShapes(
  table: TableShape,
  checks: NonNullable<TableExtras["checks"]>,
): TableCheckShape[] {
  const named = Array.isArray(checks)
    ? checks.map((condition, index) => [`${table.name}_check_${index + 1}`, condition] as const)
    : Object.entries(checks);
  return named.map(([name, condition]: readonly [string, unknown]) => {
    if (!is(condition, SQL)) throw invalidSchema(`${table.name}: the check ${name} is not SQL`);
    return Object.freeze({ name, condition });
  });
}

function keyShape(table: TableShape, given: ForeignKeyExtra): ForeignKeyShape {
  const columns = keysOf(table, given.columns, "a foreign key");
  const { references: target, onDelete, onUpdate, deferred } = given;
  if (typeof target !== "function") {
    throw invalidSchema(
      `${table.name}: the references of a foreign key are a function: () => [users.id]`,
    );
  }
  return Object.freeze({
    name: given.name ?? nameOf(table, columns, "fk"),
    columns,
    target: target as unknown as () => unknown,
    ...(onDelete && { onDelete }),
    ...(onUpdate && { onUpdate }),
    ...(deferred && { deferred }),
  });
}
