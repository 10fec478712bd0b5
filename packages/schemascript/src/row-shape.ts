// The shape of a query's rows, from what Drizzle says of its fields: which value goes where in the
// object of a row, and what it becomes. It says what Drizzle's mapResultRow would do, once for the
// query instead of once for each row.
import { Column, getTableName, is, noopDecoder, SQL, Subquery } from "drizzle-orm";
import {
  SQLiteBoolean,
  SQLiteCustomColumn,
  SQLiteNumeric,
  SQLiteNumericNumber,
  SQLiteTextJson,
  SQLiteTimestamp,
  type SelectedFieldsOrdered,
} from "drizzle-orm/sqlite-core";
import {
  declareKind,
  Kind,
  tryFindKind,
  type Decoder,
  type DecoderKind,
  type KindOfDecoder,
} from "./decoder.js";

/** One value of a row. */
export interface FieldShape {
  /** Where it goes: `["name"]`, or `["users", "name"]`. */
  readonly path: readonly string[];
  readonly kind: DecoderKind;
  /** Decodes what the kind does not expect. */
  readonly decoder: Decoder;
  readonly numbers?: readonly number[];
  readonly names?: readonly string[];
}

/** An object for each row. */
export interface RowShape {
  readonly columns: readonly FieldShape[];
  /** The object `node` is null where what the column at `column` was decoded to is null. */
  readonly nullable?: readonly { readonly node: string; readonly column: number }[];
}

type Field = SelectedFieldsOrdered[number];

/**
 * The shape of the rows of a query with these fields. `joins` says which of its tables are there in
 * every row. Undefined where no shape can say what mapResultRow does: two values in one place, or a
 * name that every object has already.
 */
export function tryShapeOf(
  fields: readonly Field[],
  joins: Readonly<Record<string, boolean>> | undefined,
): RowShape | undefined {
  if (!hasOnePlaceEach(fields)) return undefined;
  const columns = fields.map(fieldShape);
  const nullable = joins ? nullableNodes(fields, joins) : [];
  return nullable.length === 0 ? { columns } : { columns, nullable };
}

type Tree = Map<string, Tree | undefined>;

function hasOnePlaceEach(fields: readonly Field[]): boolean {
  const root: Tree = new Map();
  return fields.every(({ path }) => takesPlace(root, path));
}

function takesPlace(root: Tree, path: readonly string[]): boolean {
  let node = root;
  for (let depth = 0; depth < path.length; depth++) {
    const name = path[depth] as string;
    if (name in Object.prototype) return false;
    const isLast = depth === path.length - 1;
    if (!node.has(name)) {
      node.set(name, isLast ? undefined : new Map());
    } else if (isLast) {
      return false;
    }
    const next = node.get(name);
    if (!isLast && !next) return false;
    if (next) node = next;
  }
  return path.length > 0;
}

// A query is often built anew with the same columns. The last shape of each is kept.
const lastShapes = new WeakMap<object, FieldShape>();

function fieldShape({ path, field }: Field): FieldShape {
  const last = lastShapes.get(field);
  if (last && isSamePath(last.path, path)) return last;
  const decoder = decoderOf(field);
  const shape: FieldShape = { path, ...kindOf(decoder), decoder };
  lastShapes.set(field, shape);
  return shape;
}

function isSamePath(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, depth) => name === other[depth]);
}

/** What Drizzle would decode the field with. */
export function decoderOf(field: Field["field"]): Decoder {
  if (is(field, Column)) return field;
  const expression: unknown = is(field, SQL)
    ? field
    : is(field, Subquery)
      ? field._.sql
      : field.sql;
  return (expression as { decoder: Decoder }).decoder;
}

// What Drizzle's own columns decode with, and what is often given to mapWith(). A timestamp and a
// custom type decode by what they were made with.
for (const [decode, kind] of [
  [Column.prototype.mapFromDriverValue, Kind.asIs],
  [noopDecoder.mapFromDriverValue, Kind.asIs],
  [SQLiteBoolean.prototype.mapFromDriverValue, Kind.boolean],
  [SQLiteTextJson.prototype.mapFromDriverValue, Kind.json],
  [SQLiteNumeric.prototype.mapFromDriverValue, Kind.text],
  [SQLiteNumericNumber.prototype.mapFromDriverValue, Kind.number],
  [Number, Kind.rounded],
  [BigInt, Kind.bigint],
  [String, Kind.text],
  [JSON.parse, Kind.json],
] as const) {
  declareKind(decode as Decoder["mapFromDriverValue"], { kind });
}

const decodeTimestamp: unknown = SQLiteTimestamp.prototype.mapFromDriverValue;
const decodeCustom: unknown = SQLiteCustomColumn.prototype.mapFromDriverValue;

function kindOf(decoder: Decoder): KindOfDecoder {
  const decode = decoder.mapFromDriverValue;
  const known = tryFindKind(decode);
  if (known) return known;
  if (decode === decodeTimestamp) {
    const { config } = decoder as unknown as { config: { mode: string } };
    return { kind: config.mode === "timestamp" ? Kind.seconds : Kind.milliseconds };
  }
  if (decode === decodeCustom) {
    const { mapFrom } = decoder as unknown as { mapFrom: unknown };
    return { kind: typeof mapFrom === "function" ? Kind.call : Kind.asIs };
  }
  return { kind: Kind.call };
}

// Drizzle's rule for tables that a join may not find: an object whose columns are all of one such
// table is null where the first of them is.
function nullableNodes(
  fields: readonly Field[],
  joins: Readonly<Record<string, boolean>>,
): { node: string; column: number }[] {
  const nodes = new Map<string, { column: number; table: string | undefined }>();
  fields.forEach(({ path, field }, column) => {
    const [name] = path;
    if (path.length !== 2 || name === undefined || !is(field, Column)) return;
    const table = getTableName(field.table);
    const node = nodes.get(name);
    if (!node) nodes.set(name, { column, table });
    else if (node.table !== table) node.table = undefined;
  });
  return [...nodes].flatMap(([node, { column, table }]) =>
    table !== undefined && !joins[table] ? [{ node, column }] : [],
  );
}
