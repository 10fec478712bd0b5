// What every Schema and Table can do beside being queried: write down its rows' types, and hold
// values against them.
import { invalidSchema } from "../errors.js";
import type { AnyProperty } from "../property.js";
import type { TableShape } from "../registry.js";
import { tableJsonSchema, type JsonSchema } from "./json-schema.js";
import { rowRule, type RowKind } from "./rules.js";
import { interfaceText, type InterfaceOptions } from "./typescript.js";
import { checkRow, type Validated, type ValueForm } from "./validate.js";

type Properties = { readonly [key: string]: AnyProperty };

type Flat<Row> = { [Key in keyof Row]: Row[Key] };

type ValueOf<Property extends AnyProperty> =
  | Property["_"]["value"]
  | (Property["_"]["facts"]["required"] extends true ? never : null);

type KeysOf<Map extends Properties, Optional extends boolean> = {
  [Key in keyof Map]: Map[Key]["_"]["facts"]["generated"] extends true
    ? never
    : Map[Key]["_"]["facts"] extends { readonly required: true; readonly hasDefault: false }
      ? Optional extends true
        ? never
        : Key
      : Optional extends true
        ? Key
        : never;
}[keyof Map];

/** What a select answers: the same as `$inferSelect`. */
export type SelectRow<Map extends Properties> = { [Key in keyof Map & string]: ValueOf<Map[Key]> };

/** What an insert takes: the same as `$inferInsert`. */
export type InsertRow<Map extends Properties> = Flat<
  { [Key in KeysOf<Map, false> & string]: ValueOf<Map[Key]> } & {
    [Key in KeysOf<Map, true> & string]?: ValueOf<Map[Key]> | undefined;
  }
>;

/** The rows of a kind. */
export type RowOf<Map extends Properties, Kind extends RowKind> = Kind extends "select"
  ? SelectRow<Map>
  : Kind extends "update"
    ? Partial<InsertRow<Map>>
    : InsertRow<Map>;

/**
 * What is validated: rows for an insert, where `kind` is left out. With `form: "json"`, values are
 * those of JSON, as the JSON Schema describes them (a datetime is ISO text, a bigint its digits, a
 * blob base64), and the answer holds JavaScript's.
 *
 * @example
 * ```ts
 * import { Table, type ValidateOptions } from "schemascript";
 *
 * const notes = Table("notes", (prop) => ({ text: prop.text(), at: prop.datetime() }));
 * const fromJson = { kind: "insert", form: "json" } satisfies ValidateOptions<"insert">;
 * const result = notes.validate({ text: "Hi", at: "2026-11-22T12:00:00Z" }, fromJson);
 * if (!result.issues) console.log(result.value.at.getTime());
 * ```
 */
export interface ValidateOptions<Kind extends RowKind = RowKind> {
  readonly kind?: Kind;
  readonly form?: ValueForm;
}

/** The interface of Standard Schema (standardschema.dev), for the rows that an insert takes. */
export interface StandardProps<Row> {
  readonly version: 1;
  readonly vendor: "schemascript";
  readonly validate: (value: unknown) => Validated<Row>;
  readonly types?: { readonly input: Row; readonly output: Row } | undefined;
}

/**
 * What every Schema and every Table has, where no column has the name: `validate(users, row)` and
 * its like do the same for any column names.
 *
 * @example
 * ```ts
 * import { Table, type Outputs } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * const isUser = (table: Outputs, row: unknown) => !table.validate(row).issues;
 * console.log(isUser(users, { name: "Ada" }), isUser(users, { name: 5 })); // true false
 * ```
 */
export interface Outputs<Map extends Properties = any> {
  /** Holds a value against the table's rules; answers it, or what is wrong with it. */
  validate<Kind extends RowKind = "insert">(
    input: unknown,
    options?: ValidateOptions<Kind>,
  ): Validated<RowOf<Map, Kind>>;
  /** An interface of the rows, as text: what a select answers, unless `kind` says another. */
  toTypeScriptInterface(options?: InterfaceOptions): string;
  /** JSON Schema 2020-12 of the rows: what a select answers, unless `kind` says another. */
  toJSONSchema(options?: { readonly kind?: RowKind }): JsonSchema;
  /** For every library that takes a Standard Schema. */
  readonly "~standard": TableStandard<Map>;
}

declare const properties: unique symbol;

/** Standard Schema's part of a table; it cannot be a column's name, and tells the properties' types. */
export interface TableStandard<Map extends Properties> extends StandardProps<InsertRow<Map>> {
  /** Exists for the type checker only. */
  readonly [properties]?: Map;
}

/** A Schema or a table of ours, whatever its columns are called. */
export interface HasOutputs<Map extends Properties = any> {
  readonly "~standard": TableStandard<Map>;
}

/** The outputs of which no column has the name. */
export type OutputsBeside<Map extends Properties> = Omit<Outputs<Map>, keyof Map | "~standard"> &
  HasOutputs<Map>;

const shapes = new WeakMap<object, TableShape>();

/** Gives a Schema or a table its methods; a column of the same name keeps its place. */
export function withOutputs<Target extends object>(target: Target, shape: TableShape): Target {
  shapes.set(target, shape);
  const methods: Outputs = {
    validate: (input, { kind, form } = {}) =>
      checkRow(rowRule(shape, kind ?? "insert"), input, form),
    toTypeScriptInterface: (options) => interfaceText(shape, options),
    toJSONSchema: (options) => tableJsonSchema(shape, options?.kind),
    "~standard": Object.freeze({
      version: 1,
      vendor: "schemascript",
      validate: (input: unknown) => checkRow(rowRule(shape, "insert"), input),
    }),
  };
  // Not enumerable: whoever walks over a table's keys finds its columns.
  for (const [name, value] of Object.entries(methods)) {
    if (!Object.hasOwn(target, name)) Object.defineProperty(target, name, { value });
  }
  return target;
}

/**
 * Holds a value against the rules of a Schema or a table, also where a column is called `validate`.
 *
 * @example
 * ```ts
 * import { Table, validate } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ name: prop.text(), validate: prop.boolean() }));
 * const result = validate(users, { name: "Ada" });
 * if (result.issues) console.log(result.issues[0]?.message); // "validate is required (nothing was given)"
 * ```
 */
export function validate<Map extends Properties, Kind extends RowKind = "insert">(
  table: HasOutputs<Map>,
  input: unknown,
  options: ValidateOptions<Kind> = {},
): Validated<RowOf<Map, Kind>> {
  return checkRow(rowRule(shapeOf(table), options.kind ?? "insert"), input, options.form);
}

/**
 * As `Users.toTypeScriptInterface()`.
 *
 * @example
 * ```ts
 * import { Schema, toTypeScriptInterface } from "schemascript";
 *
 * const User = Schema("User", (prop) => ({ id: prop.integer().identifier() }));
 * console.log(toTypeScriptInterface(User)); // interface User { ... }
 * ```
 */
export function toTypeScriptInterface(table: HasOutputs, options?: InterfaceOptions): string {
  return interfaceText(shapeOf(table), options);
}

/**
 * As `Users.toJSONSchema()`.
 *
 * @example
 * ```ts
 * import { Schema, toJSONSchema } from "schemascript";
 *
 * const Users = Schema("users", (prop) => ({ id: prop.integer().identifier() }));
 * console.log(JSON.stringify(toJSONSchema(Users, { kind: "insert" })));
 * ```
 */
export function toJSONSchema(table: HasOutputs, options?: { readonly kind?: RowKind }): JsonSchema {
  return tableJsonSchema(shapeOf(table), options?.kind);
}

function shapeOf(table: object): TableShape {
  const shape = shapes.get(table);
  if (!shape) throw invalidSchema("this takes what Schema() and Table() made");
  return shape;
}
