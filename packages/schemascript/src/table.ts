// From our shapes to Drizzle's tables. The only module that knows how Drizzle builds columns.
import {
  Column,
  entityKind,
  getTableName,
  is,
  sql,
  Table as DrizzleTable,
  type SQL,
} from "drizzle-orm";
import {
  check,
  customType,
  foreignKey,
  index,
  integer,
  primaryKey,
  real,
  SQLiteBaseInteger,
  SQLiteBaseIntegerBuilder,
  sqliteTable,
  text,
  uniqueIndex,
  type AnySQLiteColumn,
  type SQLiteColumn,
  type SQLiteColumnBuilderBase,
  type SQLiteTableWithColumns,
} from "drizzle-orm/sqlite-core";
import { columnChecks } from "./checks.js";
import { invalidSchema } from "./errors.js";
import { expressionText } from "./expression.js";
import { withExtras, type TableExtras } from "./extras.js";
import type { FieldBuilder } from "./field.js";
import { withOutputs, type OutputsBeside } from "./outputs/methods.js";
import { declareTable } from "./known-table.js";
import type { Facts } from "./property.js";
import { declare, type ColumnShape, type IndexPart, type TableShape } from "./registry.js";
import { SchemaColumn, schemaShape, tableShape, type PropertyMap, type Schema } from "./schema.js";
import { conversionsOf, type PropertyType } from "./storage.js";

/** What Drizzle's types call each of our types: [dataType, columnType, driverParam]. */
interface DrizzleTypes {
  readonly integer: ["number", "SQLiteInteger", number];
  readonly bigint: ["bigint", "SchemaScriptBigInt", bigint];
  readonly real: ["number", "SQLiteReal", number];
  readonly text: ["string", "SQLiteText", string];
  readonly blob: ["custom", "SQLiteCustomColumn", Uint8Array];
  readonly boolean: ["boolean", "SQLiteBoolean", number];
  readonly datetime: ["date", "SQLiteTimestamp", number];
  readonly node: ["json", "SQLiteTextJson", string];
  readonly enum: ["string", "SQLiteText", string];
  readonly numbered: ["custom", "SQLiteCustomColumn", number];
  readonly custom: ["custom", "SQLiteCustomColumn", unknown];
}

/** A list of any of them is JSON text. */
type DrizzleType<F extends Facts> = F["array"] extends true
  ? DrizzleTypes["node"]
  : DrizzleTypes[F["type"]];

type EnumValues<F extends Facts> = F["array"] extends true
  ? undefined
  : F["type"] extends "text"
    ? [string, ...string[]]
    : F["options"] extends readonly [infer First extends string, ...infer Rest extends string[]]
      ? [First, ...Rest]
      : undefined;

/**
 * A column of a table, as Drizzle knows it.
 *
 * @example
 * ```ts
 * import { Table, type ColumnOf, type NewFacts } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ name: prop.text() }));
 * const name: ColumnOf<"users", "name", string, NewFacts<"text">> = users.name;
 * ```
 */
export type ColumnOf<
  TableName extends string,
  Key extends string,
  Value,
  F extends Facts,
> = SQLiteColumn<
  {
    name: F["name"] extends string ? F["name"] : Key;
    tableName: TableName;
    dataType: DrizzleType<F>[0];
    columnType: DrizzleType<F>[1];
    data: Value;
    driverParam: DrizzleType<F>[2];
    notNull: F["required"];
    hasDefault: F["hasDefault"];
    isPrimaryKey: F["identifier"];
    isAutoincrement: false;
    hasRuntimeDefault: false;
    enumValues: EnumValues<F>;
    baseColumn: never;
    identity: undefined;
    generated: F["generated"] extends true ? { type: "always" } : undefined;
  },
  {},
  {}
>;

declare const made: unique symbol;
declare const searched: unique symbol;

/** What a table was made of. Exists for the type checker only: relations are found in it. */
export interface Made<Map extends PropertyMap> {
  readonly [made]: Map;
}

/**
 * A table with full-text search over some of its texts: what `search()` takes.
 *
 * @example
 * ```ts
 * import { search, Table, type Searchable } from "schemascript";
 *
 * const notes = Table("notes", (prop) => ({ id: prop.integer().identifier(), text: prop.text() }), {
 *   search: ["text"],
 * });
 * const about = (table: Searchable, words: string) => search(table, words);
 * const found = about(notes, "sqlite");
 * ```
 */
export interface Searchable<Key extends string = string> {
  /** Exists for the type checker only. */
  readonly [searched]: Key;
}

/**
 * A table that can be queried: one of Drizzle's, with exact types of its columns.
 *
 * @example
 * ```ts
 * import { Table } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 *
 * type User = typeof users.$inferSelect; // { id: number; name: string }
 * type NewUser = typeof users.$inferInsert; // { id?: number; name: string }
 * ```
 */
export type Table<Name extends string = string, Map extends PropertyMap = PropertyMap> = Made<Map> &
  SQLiteTableWithColumns<{
    name: Name;
    schema: undefined;
    dialect: "sqlite";
    columns: {
      [Key in keyof Map & string]: ColumnOf<
        Name,
        Key,
        Map[Key]["_"]["value"],
        Map[Key]["_"]["facts"]
      >;
    };
  }> &
  OutputsBeside<Map>;

// A table is made once for each shape: `Table(Users)` is the same table wherever it is written.
const tables = new WeakMap<TableShape, DrizzleTable>();
const shapes = new WeakMap<object, TableShape>();

/**
 * Defines a table that can be queried, or makes one of a Schema. It is a real Drizzle table: all of
 * Drizzle works on it.
 *
 * @example
 * ```ts
 * import { eq } from "drizzle-orm";
 * import { database, Schema, schemaStatements, Table } from "schemascript";
 *
 * const Users = Schema("users", (prop) => ({
 *   id: prop.integer().identifier(),
 *   name: prop.text(),
 * }));
 * const users = Table(Users);
 * const posts = Table("posts", (prop) => ({
 *   id: prop.integer().identifier(),
 *   authorId: prop.integer().references(() => Users.id, { onDelete: "cascade" }),
 * }));
 *
 * const db = database();
 * for (const statement of schemaStatements()) await db.run(statement);
 * await db.insert(users).values({ name: "Ada" });
 * await db.insert(posts).values({ authorId: 1 });
 * console.log(await db.select().from(posts).innerJoin(users, eq(users.id, posts.authorId)));
 * ```
 */
export function Table<const Name extends string, Map extends PropertyMap>(
  name: Name,
  builder: (prop: FieldBuilder) => Map,
): Table<Name, Map>;
export function Table<
  const Name extends string,
  Map extends PropertyMap,
  // Not bound to the columns here: that would ask for them before the builder is looked at.
  const Search extends readonly string[] = readonly [],
>(
  name: Name,
  builder: (prop: FieldBuilder) => Map,
  // The columns are the builder's to say, not the extras'.
  extras:
    | TableExtras<NoInfer<Map>, Search>
    | ((columns: Table<Name, NoInfer<Map>>) => TableExtras<NoInfer<Map>, Search>),
): Table<Name, Map> & (Search extends readonly [] ? unknown : Searchable<Search[number]>);
export function Table<Name extends string, Map extends PropertyMap>(
  schema: Schema<Name, Map>,
): Table<Name, Map>;
export function Table(
  first: unknown,
  builder?: (prop: FieldBuilder) => PropertyMap,
  extras?: unknown,
): unknown {
  const known = schemaShape(first);
  if (known) return tableOf(known);
  if (typeof first !== "string")
    throw invalidSchema("Table() takes a name and a builder, or a Schema");
  const base = tableShape(first, builder as (prop: FieldBuilder) => PropertyMap);
  const table = drizzleTable(base);
  const given: unknown = typeof extras === "function" ? extras(table) : extras;
  const shape = given === undefined ? base : withExtras(base, given);
  adopt(table, shape);
  declare(shape);
  return table;
}

/** The shape of a table that Table() made, or undefined for what is none. */
export function shapeOfTable(table: unknown): TableShape | undefined {
  return typeof table === "object" && table !== null ? shapes.get(table) : undefined;
}

/** The Drizzle table of a shape. */
export function tableOf(shape: TableShape): DrizzleTable {
  const known = tables.get(shape);
  if (known) return known;
  const table = drizzleTable(shape);
  adopt(table, shape);
  return table;
}

function adopt(table: DrizzleTable, shape: TableShape): void {
  withOutputs(table, shape);
  tables.set(shape, table);
  shapes.set(table, shape);
  declareTable(table);
}

// The extras are asked for later, by whoever wants to know a table's indexes and constraints. Until
// then the table may be known by a shape with more of them than the one that its columns are of.
function drizzleTable(columnsOf: TableShape): DrizzleTable {
  const table: DrizzleTable = sqliteTable(
    columnsOf.name,
    columnBuilders(columnsOf),
    (self) => constraintsOf(shapes.get(table) ?? columnsOf, self) as never,
  );
  return table;
}

/** Drizzle's builders of a shape's columns, by key. */
export function columnBuilders(shape: TableShape): Record<string, never> {
  const builders = shape.columns.map(
    (column) => [column.key, columnBuilder(shape, column)] as const,
  );
  return Object.fromEntries(builders) as Record<string, never>;
}

function constraintsOf(
  shape: TableShape,
  self: Readonly<Record<string, AnySQLiteColumn>>,
): unknown[] {
  const column = (key: string) => self[key] as AnySQLiteColumn;
  const part = (each: IndexPart) =>
    typeof each === "string" ? column(each) : rawOf(each, `${shape.name}: an index`);
  const checks = shape.columns
    .flatMap((each) => columnChecks(shape, each))
    .map(({ name, condition }) => check(name, sql.raw(condition)));
  const ofTable = shape.checks.map(({ name, condition }) =>
    check(name, rawOf(condition, `${shape.name}: the check ${name}`)),
  );
  const indexes = [
    ...shape.columns
      .filter((each) => each.index)
      .map(({ key, name }) => index(`${shape.name}_${name}_index`).on(column(key) as never)),
    ...shape.uniques.map(({ name, columns }) =>
      uniqueIndex(name).on(...(columns.map(column) as [never])),
    ),
    ...shape.indexes.map(({ name, unique, on, where }) => {
      const made = (unique ? uniqueIndex : index)(name).on(...(on.map(part) as [never]));
      return where ? made.where(rawOf(where, `${shape.name}: the where of ${name}`)) : made;
    }),
  ];
  const keys = shape.foreignKeys.map(({ name, columns, onDelete, onUpdate }, at) => {
    const key = foreignKey((() => ({
      name,
      columns: columns.map(column),
      foreignColumns: referencedTogether(shape, at),
    })) as never);
    if (onDelete) key.onDelete(onDelete);
    if (onUpdate) key.onUpdate(onUpdate);
    return key;
  });
  const identifier = shape.identifier
    ? [primaryKey({ columns: shape.identifier.map(column) as [never] })]
    : [];
  return [...identifier, ...checks, ...ofTable, ...indexes, ...keys];
}

function rawOf(expression: unknown, where: string): SQL {
  return sql.raw(expressionText(expression, where));
}

/** Where a foreign key leads: a column of Drizzle's, made by us or by `sqliteTable`. */
export function referenced(table: TableShape, column: ColumnShape): AnySQLiteColumn {
  const found = columnOf(column.reference?.target());
  if (found) return found;
  throw invalidSchema(
    `${table.name}.${column.name} must reference a column: .references(() => Users.id)`,
  );
}

/** Where a foreign key of several columns leads. */
export function referencedTogether(table: TableShape, at: number): readonly AnySQLiteColumn[] {
  const key = table.foreignKeys[at] as TableShape["foreignKeys"][number];
  const targets: unknown = key.target();
  const found = Array.isArray(targets) ? targets.map(columnOf) : [];
  const columns = found.filter((each) => each !== undefined);
  if (
    columns.length !== key.columns.length ||
    found.length !== columns.length ||
    columns.some((each) => each.table !== columns[0]?.table)
  ) {
    throw invalidSchema(
      `${table.name}: the foreign key ${key.name} must reference as many columns of one table`,
    );
  }
  return columns;
}

function columnOf(target: unknown): AnySQLiteColumn | undefined {
  if (target instanceof SchemaColumn) {
    const owner = tableOf(SchemaColumn.ownerOf(target)) as unknown as Record<
      string,
      AnySQLiteColumn
    >;
    return owner[target.key];
  }
  return is(target, Column) ? (target as AnySQLiteColumn) : undefined;
}

// What we use of Drizzle's builders. Their types are made for a literal chain of calls, which this
// is not.
interface Builder extends SQLiteColumnBuilderBase {
  notNull(): Builder;
  default(value: unknown): Builder;
  unique(): Builder;
  primaryKey(options?: { readonly autoIncrement: boolean }): Builder;
  references(target: () => AnySQLiteColumn, actions: object): Builder;
  generatedAlwaysAs(expression: () => SQL, config: { mode: "stored" | "virtual" }): Builder;
  build(table: unknown): AnySQLiteColumn;
}

function columnBuilder(table: TableShape, shape: ColumnShape): Builder {
  const builder = plainBuilder(shape);
  if (shape.identifier) builder.primaryKey({ autoIncrement: shape.autoIncrement });
  if (shape.required) builder.notNull();
  if (shape.unique) builder.unique();
  if (shape.default) {
    const given = shape.default;
    builder.default("expression" in given ? sql`(${given.expression})` : given.value);
  }
  if (shape.reference) {
    const { onDelete, onUpdate } = shape.reference;
    builder.references(() => referenced(table, shape), { onDelete, onUpdate });
  }
  if (shape.generated) {
    const { stored } = shape.generated;
    builder.generatedAlwaysAs(() => sql.raw(generatedText(table, shape)), {
      mode: stored ? "stored" : "virtual",
    });
  }

  // Drizzle's column of this type, with our conversions: they refuse what would not arrive as it
  // is.
  const build = builder.build.bind(builder);
  builder.build = (owner) => {
    const column = build(owner);
    const where = `${getTableName(column.table)}.${column.name}`;
    const { declared } = shape;
    return Object.assign(column, conversionsOf(shape, where), {
      ...(declared !== undefined && { getSQLType: () => declared.toLowerCase() }),
    });
  };
  return builder;
}

/** What a generated column is computed from, as SQL. */
export function generatedText(table: TableShape, column: ColumnShape): string {
  const expression = column.generated?.expression;
  return expressionText(
    typeof expression === "function" ? expression() : expression,
    `${table.name}.${column.name}: what it is generated from`,
  );
}

function plainBuilder(shape: ColumnShape): Builder {
  const make: Record<PropertyType, () => unknown> = {
    integer: () => integer(shape.name),
    bigint: () => new BigIntBuilder(shape.name, "bigint", "SchemaScriptBigInt"),
    real: () => real(shape.name),
    text: () => text(shape.name),
    blob: () => customType({ dataType: () => "blob" })(shape.name),
    boolean: () => integer(shape.name, { mode: "boolean" }),
    datetime: () => integer(shape.name, { mode: "timestamp_ms" }),
    node: () => text(shape.name, { mode: "json" }),
    enum: () => text(shape.name, { enum: shape.options as [string, ...string[]] }),
    numbered: () => customType({ dataType: () => "integer" })(shape.name),
    custom: () => customType({ dataType: () => shape.storage.toLowerCase() })(shape.name),
  };
  return make[shape.array ? "node" : shape.type]() as Builder;
}

// Drizzle has a bigint only as a blob. On its integer, so that AUTOINCREMENT stays known to
// drizzle-kit.
class BigIntBuilder extends SQLiteBaseIntegerBuilder<{
  name: string;
  dataType: "bigint";
  columnType: "SchemaScriptBigInt";
  data: bigint;
  driverParam: bigint;
  enumValues: undefined;
}> {
  static override readonly [entityKind]: string = "SchemaScriptBigIntBuilder";

  build(table: never): SQLiteBaseInteger<never> {
    return new BigIntColumn(table, this.config as never);
  }
}

class BigIntColumn extends SQLiteBaseInteger<never> {
  static override readonly [entityKind]: string = "SchemaScriptBigInt";
}
