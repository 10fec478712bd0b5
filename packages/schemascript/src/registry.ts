// The tables that a program has declared, by name: what `push` creates. Shapes only; nothing here
// knows Drizzle.
import type { PropertyShape } from "./property.js";

/** One column of a table: a property with its key and its name. */
export interface ColumnShape extends PropertyShape {
  readonly key: string;
  readonly name: string;
}

/** A table: what Schema() and Table() declare, and what every output is made from. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly ColumnShape[];
}

const declared = new Set<TableShape>();

/**
 * Adds a table to those that are pushed. Two shapes of one name may stand side by side; they are
 * compared when SQL is made.
 */
export function declare(shape: TableShape): void {
  declared.add(shape);
}

/** All declared tables, in the order of their declaration. */
export function declaredTables(): readonly TableShape[] {
  return [...declared];
}
