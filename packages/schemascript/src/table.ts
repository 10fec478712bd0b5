// From our shapes to Drizzle's tables. The only module that knows how Drizzle builds columns.
import { Column, entityKind, getTableName, is, sql, Table as DrizzleTable } from "drizzle-orm";
import {
  check,
  customType,
  integer,
  real,
  SQLiteBaseInteger,
  SQLiteBaseIntegerBuilder,
  sqliteTable,
  text,
  type AnySQLiteColumn,
  type SQLiteColumn,
  type SQLiteColumnBuilderBase,
  type SQLiteTableWithColumns,
} from "drizzle-orm/sqlite-core";
import { invalidSchema } from "./errors.js";
import type { FieldBuilder } from "./field.js";
import { withOutputs, type OutputsBeside } from "./outputs/methods.js";
import type { Facts } from "./property.js";
import { declare, type ColumnShape, type TableShape } from "./registry.js";
import { SchemaColumn, schemaShape, tableShape, type PropertyMap, type Schema } from "./schema.js";
import { constantText, nameText } from "./sql-text.js";
import { fromStored, toStored, type PropertyType } from "./storage.js";

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

type EnumValues<F extends Facts> = F["type"] extends "text"
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
    dataType: DrizzleTypes[F["type"]][0];
    columnType: DrizzleTypes[F["type"]][1];
    data: Value;
    driverParam: DrizzleTypes[F["type"]][2];
    notNull: F["required"];
    hasDefault: F["hasDefault"];
    isPrimaryKey: F["identifier"];
    isAutoincrement: false;
    hasRuntimeDefault: false;
    enumValues: EnumValues<F>;
    baseColumn: never;
    identity: undefined;
    generated: undefined;
  },
  {},
  {}
>;

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
export type Table<
  Name extends string = string,
  Map extends PropertyMap = PropertyMap,
> = SQLiteTableWithColumns<{
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
}> & OutputsBeside<Map>;

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
export function Table<Name extends string, Map extends PropertyMap>(
  schema: Schema<Name, Map>,
): Table<Name, Map>;
export function Table(first: unknown, builder?: (prop: FieldBuilder) => PropertyMap): unknown {
  const known = schemaShape(first);
  if (known) return tableOf(known);
  if (typeof first !== "string")
    throw invalidSchema("Table() takes a name and a builder, or a Schema");
  const shape = tableShape(first, builder as (prop: FieldBuilder) => PropertyMap);
  declare(shape);
  return tableOf(shape);
}

/** The shape of a table that Table() made, or undefined for what is none. */
export function shapeOfTable(table: unknown): TableShape | undefined {
  return typeof table === "object" && table !== null ? shapes.get(table) : undefined;
}

/** The Drizzle table of a shape. */
export function tableOf(shape: TableShape): DrizzleTable {
  const made = tables.get(shape);
  if (made) return made;
  const builders = shape.columns.map(
    (column) => [column.key, columnBuilder(shape, column)] as const,
  );
  const checks = shape.columns.flatMap((column) => checkOf(shape, column) ?? []);
  const table = sqliteTable(shape.name, Object.fromEntries(builders), () =>
    checks.map(({ name, condition }) => check(name, sql.raw(condition))),
  );
  withOutputs(table, shape);
  tables.set(shape, table);
  shapes.set(table, shape);
  return table;
}

/**
 * The CHECK constraint with which the database keeps a column to its type, where STRICT alone does
 * not.
 */
export function checkOf(
  table: TableShape,
  column: ColumnShape,
): { readonly name: string; readonly condition: string } | undefined {
  const condition = conditionOf(column);
  return condition === undefined
    ? undefined
    : { name: `${table.name}_${column.name}_check`, condition };
}

function conditionOf(column: ColumnShape): string | undefined {
  const name = nameText(column.name);
  const oneOf = (values: readonly unknown[]) =>
    `${name} IN (${values.map(constantText).join(", ")})`;
  switch (column.type) {
    case "enum":
      return oneOf(column.options ?? []);
    case "numbered":
      return oneOf(Object.values(column.numbers ?? {}));
    case "boolean":
      return oneOf([0, 1]);
    case "node":
      return `json_valid(${name})`;
    default:
      return undefined;
  }
}

/** Where a foreign key leads: a column of Drizzle's, made by us or by `sqliteTable`. */
export function referenced(table: TableShape, column: ColumnShape): AnySQLiteColumn {
  const target = column.reference?.target();
  if (target instanceof SchemaColumn) {
    const owner = tableOf(SchemaColumn.ownerOf(target)) as unknown as Record<
      string,
      AnySQLiteColumn
    >;
    return owner[target.key] as AnySQLiteColumn;
  }
  if (is(target, Column)) return target as AnySQLiteColumn;
  throw invalidSchema(
    `${table.name}.${column.name} must reference a column: .references(() => Users.id)`,
  );
}

// What we use of Drizzle's builders. Their types are made for a literal chain of calls, which this
// is not.
interface Builder extends SQLiteColumnBuilderBase {
  notNull(): Builder;
  default(value: unknown): Builder;
  unique(): Builder;
  primaryKey(options?: { readonly autoIncrement: boolean }): Builder;
  references(target: () => AnySQLiteColumn, actions: object): Builder;
  build(table: unknown): Convertible;
}

interface Convertible extends AnySQLiteColumn {
  mapToDriverValue(value: unknown): unknown;
  mapFromDriverValue(stored: unknown): unknown;
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

  // Drizzle's column of this type, with our conversions: they refuse what would not arrive as it
  // is.
  const build = builder.build.bind(builder);
  builder.build = (owner) => {
    const column = build(owner);
    const where = `${getTableName(column.table)}.${column.name}`;
    column.mapToDriverValue = (value) => toStored(shape, value, where);
    column.mapFromDriverValue = (stored) => fromStored(shape, stored, where);
    return column;
  };
  return builder;
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
  return make[shape.type]() as Builder;
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
