// What the values of a column must be, and which keys a row has: plain data, taken from the shapes.
// The interfaces, the JSON Schema and both validators are made from nothing else, so that they agree.
import type { ColumnShape, TableShape } from "../registry.js";
import type { StorageClass } from "../storage.js";

/**
 * Which rows are meant: those that an insert takes, those that an update takes (every key may be
 * left out), or those that a select answers.
 *
 * @example
 * ```ts
 * import { Schema, type RowKind } from "schemascript";
 *
 * const Users = Schema("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * const kind: RowKind = "select";
 * console.log(Users.toTypeScriptInterface({ kind }));
 * ```
 */
export type RowKind = "insert" | "update" | "select";

/** The JavaScript types of values; `stored` is a custom type without conversions. */
export type ValueType =
  | "integer"
  | "bigint"
  | "real"
  | "text"
  | "blob"
  | "boolean"
  | "datetime"
  | "node"
  | "enum"
  | "stored"
  | "any";

/** What one value must be. Bounds of a bigint are written in decimal, those of a datetime in milliseconds. */
export interface ValueRule {
  readonly type: ValueType;
  readonly array?: true;
  readonly options?: readonly string[];
  readonly storage?: StorageClass;
  readonly min?: number | string;
  readonly max?: number | string;
  /** Characters of a text (code points, as SQLite counts them), bytes of a blob, items of an array. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: { readonly source: string; readonly flags: string };
}

/** One key of a row. */
export interface FieldRule extends ValueRule {
  readonly key: string;
  readonly nullable: boolean;
  readonly optional: boolean;
}

/** The rows of a table, of one kind. */
export interface RowRule {
  readonly table: string;
  readonly kind: RowKind;
  readonly fields: readonly FieldRule[];
}

const made = new WeakMap<TableShape, Map<RowKind, RowRule>>();

/** The rules of a table's rows; made once. */
export function rowRule(table: TableShape, kind: RowKind): RowRule {
  let kinds = made.get(table);
  if (!kinds) made.set(table, (kinds = new Map()));
  let rule = kinds.get(kind);
  if (!rule) {
    const columns = table.columns.filter((column) => isIn(column, kind));
    const fields = columns.map((column) => fieldRule(column, kind));
    rule = Object.freeze({ table: table.name, kind, fields: Object.freeze(fields) });
    kinds.set(kind, rule);
  }
  return rule;
}

/** A generated column can be read, and not be written. */
export function isIn(column: ColumnShape, kind: RowKind): boolean {
  return kind === "select" || column.generated === undefined;
}

/** Whether an insert may leave the column out. */
export function isOptionalOnInsert(column: ColumnShape): boolean {
  const isNumbered = column.identifier && (column.type === "integer" || column.type === "bigint");
  return !column.required || column.default !== undefined || isNumbered;
}

function fieldRule(column: ColumnShape, kind: RowKind): FieldRule {
  return Object.freeze({
    key: column.key,
    nullable: !column.required,
    optional: kind === "update" || (kind === "insert" && isOptionalOnInsert(column)),
    ...valueRule(column),
  });
}

/** What the values of a column must be; NULL apart. */
export function valueRule(column: ColumnShape): ValueRule {
  const { type, array, pattern, length } = column;
  const rule: { -readonly [Key in keyof ValueRule]: ValueRule[Key] } = { type: valueType(column) };
  if (array) rule.array = true;
  if (type === "enum") rule.options = column.options ?? [];
  if (type === "numbered") rule.options = Object.keys(column.numbers ?? {});
  if (rule.type === "stored") rule.storage = column.custom?.storage ?? "ANY";
  const min = plainBound(column.min);
  const max = plainBound(column.max);
  if (array || type === "text" || type === "blob") {
    const least = Math.max(length ?? 0, Number(min ?? 0));
    const most = Math.min(length ?? Infinity, Number(max ?? Infinity));
    if (least > 0) rule.minLength = least;
    if (most < Infinity) rule.maxLength = most;
  } else {
    if (min !== undefined && min !== -Infinity) rule.min = min;
    if (max !== undefined && max !== Infinity) rule.max = max;
  }
  if (pattern) rule.pattern = { source: pattern.source, flags: pattern.flags };
  return rule;
}

function plainBound(bound: number | bigint | Date | undefined): number | string | undefined {
  if (typeof bound === "bigint") return String(bound);
  return bound instanceof Date ? bound.getTime() : bound;
}

function valueType({ type, custom }: ColumnShape): ValueType {
  if (type === "numbered") return "enum";
  if (type !== "custom") return type;
  return custom?.toDriver || custom?.fromDriver ? "any" : "stored";
}
