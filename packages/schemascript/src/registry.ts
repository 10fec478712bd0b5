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
  /** Whether it is a constraint of the table, not an index of its own. */
  readonly constraint?: boolean;
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
  readonly deferred?: boolean;
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
  /** The table's CREATE statement, where it is not made of all the others. */
  readonly statement?: SQL;
  readonly was?: string;
  readonly description?: string;
}

/** A view: what View() declares. */
export interface ViewShape {
  readonly name: string;
  /** The names of its columns, in their order. */
  readonly columns: readonly string[];
  readonly query: SQL;
  /** Whether the statement names the columns, and not the query. */
  readonly columnList: boolean;
}

/** What Statement() declares. */
export interface StatementShape {
  readonly sql: SQL;
}

const declared = new Set<TableShape>();
const views = new Set<ViewShape>();
const statements = new Set<StatementShape>();

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

/** Adds a statement to those that are pushed, behind all tables and views. */
export function declareStatement(shape: StatementShape): void {
  statements.add(shape);
}

/** All declared statements, in the order of their declaration. */
export function declaredStatements(): readonly StatementShape[] {
  return [...statements];
}
