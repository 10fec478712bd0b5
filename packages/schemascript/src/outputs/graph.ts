// Tables and the references between them: what the diagrams draw and the texts list.
import { Column, getTableName, is } from "drizzle-orm";
import { invalidSchema } from "../errors.js";
import type { ReferenceAction } from "../property.js";
import type { ColumnShape, TableShape } from "../registry.js";
import { SchemaColumn } from "../schema.js";

/** One reference, of one or more columns. */
export interface Edge {
  readonly from: TableShape;
  /** The names of the columns on both sides, in the same order. */
  readonly columns: readonly string[];
  readonly to: string;
  readonly toColumns: readonly string[];
  readonly required: boolean;
  /** Whether at most one row refers to another. */
  readonly single: boolean;
  readonly onDelete?: ReferenceAction;
  readonly onUpdate?: ReferenceAction;
  readonly deferred?: boolean;
}

/** The references of a table, columns' own first. */
export function edgesOf(table: TableShape): readonly Edge[] {
  const own = table.columns.flatMap((column) =>
    column.reference ? [edge(table, [column], [column.reference.target()], column.reference)] : [],
  );
  const composite = table.foreignKeys.map((key) => {
    const target = key.target();
    const columns = key.columns.map((name) => columnOf(table, name));
    return edge(table, columns, Array.isArray(target) ? target : [target], key);
  });
  return [...own, ...composite];
}

/** Whether no two rows hold the same in these columns: an identifier, or unique. */
export function isSingle(table: TableShape, names: readonly string[]): boolean {
  const same = (keys: readonly string[]) =>
    keys.length === names.length && keys.every((key) => names.includes(columnOf(table, key).name));
  const [name] = names;
  const column = table.columns.find((each) => each.name === name);
  if (names.length === 1 && (column?.identifier || column?.unique)) return true;
  return same(table.identifier ?? []) || table.uniques.some(({ columns }) => same(columns));
}

/** Whether the column is the table's identifier, or a part of it. */
export function isKey(table: TableShape, column: ColumnShape): boolean {
  return column.identifier || (table.identifier ?? []).includes(column.key);
}

/** The word for a column's type: `integer`, `text[]`, `point`. */
export function typeWord({ type, array, custom }: ColumnShape): string {
  const word = type === "custom" ? (custom?.name ?? type) : type === "numbered" ? "enum" : type;
  return array ? `${word}[]` : word;
}

interface Actions {
  readonly onDelete?: ReferenceAction;
  readonly onUpdate?: ReferenceAction;
  readonly deferred?: boolean;
}

function edge(
  from: TableShape,
  columns: readonly ColumnShape[],
  targets: readonly unknown[],
  { onDelete, onUpdate, deferred }: Actions,
): Edge {
  const names = columns.map(({ name }) => name);
  const found = targets.map((target) => {
    if (target instanceof SchemaColumn) return { table: target.table, name: target.name };
    if (is(target, Column)) return { table: getTableName(target.table), name: target.name };
    throw invalidSchema(
      `${from.name}.${names.join(", ")} must reference a column: .references(() => Users.id)`,
    );
  });
  return {
    from,
    columns: names,
    to: found[0]?.table ?? "",
    toColumns: found.map(({ name }) => name),
    required: columns.every(({ required }) => required),
    single: isSingle(from, names),
    ...(onDelete && { onDelete }),
    ...(onUpdate && { onUpdate }),
    ...(deferred && { deferred }),
  };
}

// Extras name columns by their keys.
function columnOf(table: TableShape, key: string): ColumnShape {
  const column = table.columns.find((each) => each.key === key);
  if (!column) throw invalidSchema(`${table.name} has no column ${key}`);
  return column;
}
