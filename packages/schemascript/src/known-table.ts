// What is the same in every query of a table, found out once: how its name and its columns are
// written, and which fields a select of all of it has.
import { is, Table, type Column } from "drizzle-orm";
import type { SelectedFieldsOrdered } from "drizzle-orm/sqlite-core";
import { nameText } from "./sql-text.js";

type SelectedField = SelectedFieldsOrdered[number];

// Drizzle's keys of tables, which it does not declare.
const {
  Name: NAME,
  OriginalName: ORIGINAL_NAME,
  Schema: SCHEMA,
  Columns: COLUMNS,
  BaseName: BASE_NAME,
  IsAlias: IS_ALIAS,
} = Reflect.get(Table, "Symbol") as Record<TableKey, symbol>;

type TableKey = "Name" | "OriginalName" | "Schema" | "Columns" | "BaseName" | "IsAlias";

export interface KnownColumn {
  /** The name of its table in the query. */
  readonly owner: string;
  /** What Drizzle calls that table where rows are put together. */
  readonly ownerName: string;
  /** `"id"` */
  readonly name: string;
  /** In a condition: `"users"."id"`. */
  readonly text: string;
  /** In the selection of one table: `"id"`. */
  readonly selected: string;
  /** In that of several. */
  readonly selectedOfSeveral: string;
}

export interface KnownTable {
  /** `"users"` */
  readonly text: string;
  /** Behind FROM: with the name that stands for it. */
  readonly source: string;
  /** What stands for it in the query. */
  readonly owner: string;
  /** What Drizzle calls it where rows are put together. */
  readonly name: string;
  readonly columns: Record<string, Column>;
  /** It is there in every row, unless a join says otherwise. */
  readonly joins: Readonly<Record<string, boolean>>;
  /** All columns as fields of a select: one list, which never changes. */
  readonly fields: SelectedFieldsOrdered;
  /** And as text. */
  readonly selection: string;
  /** The keys of the columns that an insert fills. */
  readonly inserted: readonly (readonly [key: string, column: Column])[];
  /** Their names as text, in brackets. */
  readonly insertedText: string;
}

const tables = new WeakMap<object, KnownTable>();
const columns = new WeakMap<object, KnownColumn>();

/** Only columns of tables that were asked for: Drizzle makes others anew for each use. */
export function tryKnownColumn(column: object): KnownColumn | undefined {
  return columns.get(column);
}

export function knownColumn(column: Column): KnownColumn {
  return columns.get(column) ?? describe(column);
}

// What was declared while an app is loaded for its snapshot.
let declared: Set<Table> | undefined;

/** Until {@link takeTables}, tables that are declared are kept in mind. */
export function collectTables(): void {
  declared = new Set();
}

export function declareTable(table: Table): void {
  declared?.add(table);
}

/** All that is known of them. */
export function takeTables(): readonly KnownTable[] {
  const tables = [...(declared ?? [])].map(knownTable);
  declared = undefined;
  return tables;
}

/** `table` is one of Drizzle's, or stands for one. */
export function knownTable(table: Table): KnownTable {
  let known = tables.get(table);
  if (!known) tables.set(table, (known = findOut(table)));
  return known;
}

/** Undefined where `source` is no table. */
export function tryKnownTable(source: object): KnownTable | undefined {
  return tables.get(source) ?? (is(source, Table) ? knownTable(source) : undefined);
}

function findOut(table: Table): KnownTable {
  const own = keyed(table)[COLUMNS] as Record<string, Column>;
  const entries = Object.entries(own);
  const known = entries.map(([, column]) => {
    const description = describe(column);
    columns.set(column, description);
    return description;
  });
  const inserted = entries.filter(([, column]) => !isGenerated(column));
  return {
    text: tableText(table),
    source: sourceText(table),
    owner: ownerOf(table),
    name: nameOf(table),
    columns: own,
    joins: Object.freeze({ [nameOf(table)]: true }),
    fields: Object.freeze(
      entries.map(([name, field]) => ({ path: [name], field }) as SelectedField),
    ) as SelectedFieldsOrdered,
    selection: known.map(({ selected }) => selected).join(", "),
    inserted,
    insertedText: `(${inserted.map(([, { name }]) => nameText(name)).join(", ")})`,
  };
}

function describe(column: Column): KnownColumn {
  const name = nameText(column.name);
  const { table } = column;
  const owner = ownerOf(table);
  const qualified = `${nameText(owner)}.${name}`;
  const isDigits = column.columnType === "SQLiteNumericBigInt";
  return {
    owner,
    ownerName: nameOf(table),
    name,
    text: `${tableText(table)}.${name}`,
    selected: isDigits ? `cast(${name} as text)` : name,
    selectedOfSeveral: isDigits ? `cast(${qualified} as text)` : qualified,
  };
}

/** The name that stands for it in the query. */
export function ownerOf(table: Table): string {
  return keyed(table)[NAME] as string;
}

// For a table that has another name in the query, that; else its first name.
function nameOf(table: Table): string {
  const own = keyed(table);
  return (own[IS_ALIAS] ? own[NAME] : own[BASE_NAME]) as string;
}

/** What Drizzle leaves out of inserts. */
function isGenerated(column: Column): boolean {
  return (column as unknown as { shouldDisableInsert(): boolean }).shouldDisableInsert();
}

/** A table, or what stands for it: `"users"`. */
export function tableText(table: Table): string {
  const own = keyed(table);
  const name = nameText(own[NAME] as string);
  const schema = own[SCHEMA] as string | undefined;
  return schema === undefined || own[IS_ALIAS] ? name : `${nameText(schema)}.${name}`;
}

// Behind FROM.
function sourceText(table: Table): string {
  const own = keyed(table);
  if (!own[IS_ALIAS]) return tableText(table);
  return `${originalText(table)} ${nameText(own[NAME] as string)}`;
}

/** The table itself, also where something stands for it. */
export function originalText(table: Table): string {
  const own = keyed(table);
  const schema = own[SCHEMA] as string | undefined;
  return `${schema ? `${nameText(schema)}.` : ""}${nameText(own[ORIGINAL_NAME] as string)}`;
}

/** Its own name, also where it has another one in the query. */
export function originalName(table: Table): string {
  return keyed(table)[ORIGINAL_NAME] as string;
}

function keyed(table: Table): Readonly<Record<symbol, unknown>> {
  return table as unknown as Readonly<Record<symbol, unknown>>;
}
