// A named set of properties: the columns of a table, before it is one of Drizzle's.
import { invalidSchema } from "./errors.js";
import { fieldBuilder, type FieldBuilder } from "./field.js";
import { withOutputs, type OutputsBeside } from "./outputs/methods.js";
import { Property, type AnyProperty } from "./property.js";
import { declare, type ColumnShape, type TableShape } from "./registry.js";

/**
 * The properties of a table by their keys: what a builder answers.
 *
 * @example
 * ```ts
 * import { Table, type PropertyMap } from "schemascript";
 *
 * const tableOf = <Map extends PropertyMap>(name: string, map: Map) => Table(name, () => map);
 * ```
 */
export type PropertyMap = { readonly [key: string]: AnyProperty };

/**
 * A function that describes a table. Annotate with it, or use `satisfies SchemaBuilder` to keep the
 * columns' exact types.
 *
 * @example
 * ```ts
 * import { Table, type SchemaBuilder } from "schemascript";
 *
 * const users = ((prop) => ({
 *   id: prop.integer().identifier(),
 *   name: prop.text(),
 * })) satisfies SchemaBuilder;
 *
 * const usersTable = Table("users", users);
 * ```
 */
export type SchemaBuilder = (prop: FieldBuilder) => PropertyMap;

/**
 * A column of a Schema: what `.references(() => Users.id)` points at.
 *
 * @example
 * ```ts
 * import { Schema, SchemaColumn } from "schemascript";
 *
 * const Users = Schema("users", (prop) => ({ id: prop.integer("user_id").identifier() }));
 * console.log(Users.id instanceof SchemaColumn, Users.id.name); // true "user_id"
 * ```
 */
export class SchemaColumn<Table extends string = string, P extends AnyProperty = AnyProperty> {
  /** Exists for the type checker only. */
  declare readonly _: P["_"];
  readonly table: Table;
  readonly key: string;
  readonly name: string;
  readonly #owner: TableShape;

  constructor(owner: TableShape, column: ColumnShape) {
    this.table = owner.name as Table;
    this.key = column.key;
    this.name = column.name;
    this.#owner = owner;
    Object.freeze(this);
  }

  /** For the layers above: the shape of the table that a column belongs to. */
  static ownerOf(column: SchemaColumn): TableShape {
    return column.#owner;
  }
}

declare const definition: unique symbol;

/**
 * A table's definition. Its columns are its properties; `Table(schema)` makes a table of it that
 * can be queried.
 *
 * @example
 * ```ts
 * import { Schema, Table } from "schemascript";
 *
 * const Users = Schema("users", (prop) => ({
 *   id: prop.integer().identifier(),
 *   name: prop.text(),
 * }));
 * const users = Table(Users);
 * ```
 */
export type Schema<Name extends string = string, Map extends PropertyMap = PropertyMap> = {
  /** Exists for the type checker only. */
  readonly [definition]: { readonly name: Name; readonly map: Map };
} & ColumnsOf<Name, Map> &
  OutputsBeside<Map>;

// A Schema of which nothing is known has no columns; an index signature would have to fit its
// methods as well.
type ColumnsOf<Name extends string, Map extends PropertyMap> = {
  readonly [Key in keyof Map & string as string extends Key ? never : Key]: SchemaColumn<
    Name,
    Map[Key]
  >;
};

// Drizzle's tables have these names themselves, and a schema keeps `~` and `$` names for what is to
// come.
const RESERVED_KEYS = new Set(["_", "getSQL", "shouldOmitSQLParens", "__proto__"]);

const shapes = new WeakMap<object, TableShape>();

/**
 * Defines a table. All columns are NOT NULL unless they are `.optional()`; their names are the keys
 * unless they are given.
 *
 * @example
 * ```ts
 * import { Schema, value } from "schemascript";
 *
 * const Users = Schema("users", (prop) => ({
 *   id: prop.integer().identifier(),
 *   username: prop.text().unique(),
 *   email: prop.text().optional(),
 *   createdAt: prop.integer().default(value.now()),
 * }));
 * ```
 */
export function Schema<const Name extends string, Map extends PropertyMap>(
  name: Name,
  builder: (prop: FieldBuilder) => Map,
): Schema<Name, Map> {
  const shape = tableShape(name, builder);
  declare(shape);
  const columns = shape.columns.map(
    (column) => [column.key, new SchemaColumn(shape, column)] as const,
  );
  const schema = Object.freeze(withOutputs(Object.fromEntries(columns), shape));
  shapes.set(schema, shape);
  return schema as unknown as Schema<Name, Map>;
}

/** The shape of a schema, or undefined for what is none. */
export function schemaShape(schema: unknown): TableShape | undefined {
  return typeof schema === "object" && schema !== null ? shapes.get(schema) : undefined;
}

/** Calls a builder and checks what it answers; does not declare the table. */
export function tableShape(name: string, builder: SchemaBuilder): TableShape {
  checkName("a table", name);
  if (/^sqlite_/i.test(name))
    throw invalidSchema(`${name}: SQLite keeps names that begin with sqlite_ for itself`);
  if (typeof builder !== "function")
    throw invalidSchema(`${name}: the second argument is a function: (prop) => ({ ... })`);
  const map: unknown = builder(fieldBuilder);
  if (typeof map !== "object" || map === null)
    throw invalidSchema(`${name}: the builder answers an object of properties`);

  const columns = Object.entries(map).map(([key, property]) => columnShape(name, key, property));
  if (columns.length === 0) throw invalidSchema(`${name}: a table has at least one column`);
  const names = new Set<string>();
  for (const column of columns) {
    const folded = column.name.toLowerCase(); // SQLite does not tell "Id" from "id".
    if (names.has(folded)) throw invalidSchema(`${name}: two columns are called ${column.name}`);
    names.add(folded);
  }
  if (columns.filter((column) => column.identifier).length > 1) {
    throw invalidSchema(`${name}: a table has one identifier`);
  }
  return Object.freeze({
    name,
    columns: Object.freeze(columns),
    strict: true,
    withoutRowid: false,
    uniques: Object.freeze([]),
    indexes: Object.freeze([]),
    checks: Object.freeze([]),
    foreignKeys: Object.freeze([]),
  });
}

function columnShape(table: string, key: string, property: unknown): ColumnShape {
  const shape = Property.shapeOf(property);
  if (!shape)
    throw invalidSchema(
      `${table}.${key} is not a property: begin with prop.text() or another of prop`,
    );
  if (RESERVED_KEYS.has(key) || key.startsWith("$") || key.startsWith("~")) {
    throw invalidSchema(
      `${table}.${key}: this key is reserved; give the column its name instead: prop.text("${key}")`,
    );
  }
  const name = shape.name ?? key;
  checkName("a column", name);
  return Object.freeze({ ...shape, key, name });
}

/** Throws unless it can be the name of a table, a column or a view. */
export function checkName(what: string, name: unknown): void {
  if (typeof name !== "string" || name === "" || name.includes("\0")) {
    throw invalidSchema(`${what} has a name: a string that is not empty and holds no NUL`);
  }
}
