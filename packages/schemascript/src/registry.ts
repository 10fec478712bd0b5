// The tables and views that a program has declared: what `push` creates. Shapes only; nothing here
// knows Drizzle's tables.
import type { SQL } from "drizzle-orm";
import type { PropertyShape, ReferenceAction } from "./property.js";

/** One column of a table: a property with its key and its name. */
export interface ColumnShape extends PropertyShape {
  readonly key: string;
  readonly name: string;
}

/** A part of an index: the key of a column, or an expression. */
export type IndexPart = string | SQL;

export interface IndexShape {
  readonly name: string;
  readonly unique: boolean;
  readonly on: readonly IndexPart[];
  /** Which rows are in the index; all, where it is left out. */
  readonly where?: SQL;
}

/** Several columns that are unique together. */
export interface UniqueShape {
  readonly name: string;
  readonly columns: readonly string[];
}

export interface TableCheckShape {
  readonly name: string;
  readonly condition: SQL;
}

/** A foreign key of one or more columns. `target` answers as many columns, when tables are made. */
export interface ForeignKeyShape {
  readonly name: string;
  readonly columns: readonly string[];
  readonly target: () => unknown;
  readonly onDelete?: ReferenceAction;
  readonly onUpdate?: ReferenceAction;
}

/** An FTS5 table beside the table, which triggers keep in step. */
export interface SearchShape {
  readonly name: string;
  readonly columns: readonly string[];
}

/** A table: what Schema() and Table() declare, and what every output is made from. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly ColumnShape[];
  readonly strict: boolean;
  readonly withoutRowid: boolean;
  /** The keys of a primary key of several columns. */
  readonly identifier?: readonly string[];
  readonly uniques: readonly UniqueShape[];
  readonly indexes: readonly IndexShape[];
  readonly checks: readonly TableCheckShape[];
  readonly foreignKeys: readonly ForeignKeyShape[];
  readonly search?: SearchShape;
  readonly was?: string;
  readonly description?: string;
}

/** A view: what View() declares. Its query is Drizzle's. */
export interface ViewShape {
  readonly name: string;
  /** The names of its columns, in their order. */
  readonly columns: readonly string[];
  readonly query: SQL;
}

const declared = new Set<TableShape>();
const views = new Set<ViewShape>();

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

/** Adds a view to those that are pushed. */
export function declareView(shape: ViewShape): void {
  views.add(shape);
}

/** All declared views, in the order of their declaration. */
export function declaredViews(): readonly ViewShape[] {
  return [...views];
}
