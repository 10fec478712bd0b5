// Queries to text and parameters, from what Drizzle's builders have gathered: what its dialect does
// in two steps, over SQL objects that nobody keeps. For forms that are rare, the dialect makes those
// objects.
//
// Drizzle finds out first what is wrong with a query and which values are defaults, and converts
// values later. Here it is the same: each function prepares, and answers what writes.
import { Column, is, Param, SQL, sql, Subquery, Table, View } from "drizzle-orm";
import {
  SQLiteTable,
  type SelectedFieldsOrdered,
  type SQLiteDialect,
} from "drizzle-orm/sqlite-core";
import {
  knownColumn,
  knownTable,
  originalName,
  originalText,
  ownerOf,
  tryKnownTable,
  type KnownTable,
} from "./known-table.js";
import { nameText } from "./sql-text.js";
import { viewName, type SqlWriter } from "./sql-writer.js";

/** Writes a query that is complete. */
export type WriteQuery = (writer: SqlWriter) => void;

/** What the builder of a select has gathered. */
export interface SelectConfig {
  readonly withList?: readonly Subquery[] | undefined;
  fields: Record<string, unknown>;
  readonly table: object;
  readonly distinct?: boolean | undefined;
  readonly where?: unknown;
  readonly having?: unknown;
  readonly joins?: readonly Join[];
  readonly groupBy?: readonly unknown[];
  readonly orderBy?: readonly unknown[];
  readonly limit?: unknown;
  readonly offset?: unknown;
  readonly setOperators: readonly unknown[];
}

interface Join {
  readonly table: object;
  readonly alias: string | undefined;
  readonly joinType: string;
  readonly on: unknown;
}

/** What those of changes have. */
export interface ChangeConfig {
  readonly table: SQLiteTable;
  readonly withList?: readonly Subquery[] | undefined;
  returning?: SelectedFieldsOrdered | undefined;
}

export interface InsertConfig extends ChangeConfig {
  readonly values: unknown;
  readonly select?: boolean | undefined;
  readonly onConflict?: readonly SQL[] | undefined;
}

export interface UpdateConfig extends ChangeConfig {
  readonly set: Readonly<Record<string, unknown>>;
  readonly from?: unknown;
  readonly joins: readonly unknown[];
  readonly where?: unknown;
  readonly orderBy?: readonly unknown[];
  readonly limit?: unknown;
}

export interface DeleteConfig extends ChangeConfig {
  readonly where?: unknown;
  readonly orderBy?: readonly unknown[];
  readonly limit?: unknown;
}

type Field = SelectedFieldsOrdered[number];

const NONE: readonly never[] = [];

/** `fields` are those of the config, in their order; `known` is its table, if it is one. */
export function selectQuery(
  dialect: SQLiteDialect,
  config: SelectConfig,
  fields: SelectedFieldsOrdered,
  known = tryKnownTable(config.table),
): WriteQuery {
  const areFields = fields === known?.fields || areWritten(config, fields, known);
  if (areFields && config.setOperators.length === 0) {
    return (writer) => writeSelect(writer, config, fields, known);
  }
  const sql = dialect.buildSelectQuery(config as never);
  return (writer) => writer.write(sql);
}

// Whether the fields are of tables of the query, which Drizzle has an error for, and of a form that
// this module writes.
function areWritten(
  { table, joins = NONE }: SelectConfig,
  fields: SelectedFieldsOrdered,
  known: KnownTable | undefined,
): boolean {
  const owner = known ? known.owner : sourceName(table);
  return fields.every(({ field }) => {
    if (!is(field, Column)) return is(field, SQL) || is(field, SQL.Aliased);
    const column = knownColumn(field);
    return column.owner === owner || joins.some(({ alias }) => alias === column.ownerName);
  });
}

function sourceName(source: object): string | undefined {
  if (is(source, Subquery)) return source._.alias;
  if (is(source, View)) return viewName(source);
  return undefined;
}

function writeSelect(
  writer: SqlWriter,
  config: SelectConfig,
  fields: SelectedFieldsOrdered,
  known: KnownTable | undefined,
): void {
  const { table, joins = NONE, groupBy = NONE, having, offset } = config;
  writeWith(writer, config.withList);
  writer.sql += config.distinct ? "select distinct " : "select ";
  if (joins.length > 0) writeSelection(writer, fields, "selectedOfSeveral");
  else if (fields === known?.fields) writer.sql += known.selection;
  else writeSelection(writer, fields, "selected");
  writer.sql += " from ";
  if (known) writer.sql += known.source;
  else writer.write(table);
  for (let index = 0; index < joins.length; index++) writeJoin(writer, joins[index] as Join);
  writePart(writer, " where ", config.where);
  if (groupBy.length > 0) {
    writer.sql += " group by ";
    writer.join(groupBy, ", ");
  }
  writePart(writer, " having ", having);
  writeEnd(writer, config);
  writePart(writer, " offset ", offset);
}

function writeWith(writer: SqlWriter, subqueries: readonly Subquery[] = NONE): void {
  for (let index = 0; index < subqueries.length; index++) {
    const { alias, sql } = (subqueries[index] as Subquery)._;
    writer.sql += `${index === 0 ? "with " : ", "}${nameText(alias)} as (`;
    writer.write(sql);
    writer.sql += ")";
  }
  if (subqueries.length > 0) writer.sql += " ";
}

type Selected = "selected" | "selectedOfSeveral";

function writeSelection(
  writer: SqlWriter,
  fields: SelectedFieldsOrdered,
  selected: Selected,
): void {
  for (let index = 0; index < fields.length; index++) {
    if (index > 0) writer.sql += ", ";
    const { field } = fields[index] as Field;
    if (is(field, Column)) writer.sql += knownColumn(field)[selected];
    else writeExpression(writer, field as SQL | SQL.Aliased, selected);
  }
}

function writeExpression(writer: SqlWriter, field: SQL | SQL.Aliased, selected: Selected): void {
  if (is(field, SQL)) {
    writeSelected(writer, field, selected);
    return;
  }
  if (!(field as unknown as { isSelectionField: boolean }).isSelectionField) {
    writeSelected(writer, field.sql, selected);
    writer.sql += " as ";
  }
  writer.sql += nameText(field.fieldAlias);
}

// Where a query is of one table, its expressions leave out its name, and Drizzle forgets whether
// their values are to be written into the text.
function writeSelected(writer: SqlWriter, sql: SQL, selected: Selected): void {
  if (selected === "selectedOfSeveral") {
    writer.write(sql);
    return;
  }
  for (const chunk of sql.queryChunks) {
    if (is(chunk, Column)) writer.sql += knownColumn(chunk).name;
    else writer.write(chunk);
  }
}

function writeJoin(writer: SqlWriter, { table, alias, joinType, on }: Join): void {
  writer.sql += ` ${joinType} join `;
  if (is(table, SQLiteTable)) {
    writer.sql += originalText(table);
    if (ownerOf(table) !== originalName(table)) {
      if (alias) writer.sql += ` ${nameText(alias)}`;
      else writer.write(alias);
    }
  } else {
    writer.write(table);
  }
  writePart(writer, " on ", on);
}

function writePart(writer: SqlWriter, before: string, part: unknown): void {
  if (!part) return;
  writer.sql += before;
  writer.write(part);
}

function writeEnd(
  writer: SqlWriter,
  { orderBy = NONE, limit }: Pick<SelectConfig, "orderBy" | "limit">,
): void {
  if (orderBy.length > 0) {
    writer.sql += " order by ";
    writer.join(orderBy, ", ");
  }
  if (typeof limit !== "object" && !(typeof limit === "number" && limit >= 0)) return;
  writer.sql += " limit ";
  writer.write(limit);
}

export function insertQuery(dialect: SQLiteDialect, config: InsertConfig): WriteQuery {
  if (config.select || !isWrittenReturning(config)) {
    const sql = dialect.buildInsertQuery(config as never);
    return (writer) => writer.write(sql);
  }
  const known = knownTable(config.table);
  const rows = (config.values as readonly InsertedRow[]).map((row) => insertedValues(known, row));
  return (writer) => {
    writeWith(writer, config.withList);
    writer.sql += `insert into ${known.text} ${known.insertedText} values `;
    for (let index = 0; index < rows.length; index++) {
      if (index > 0) writer.sql += ", ";
      writer.write(rows[index]);
    }
    for (const conflict of config.onConflict ?? NONE) writer.write(conflict);
    writeReturning(writer, config.returning, known);
  };
}

type InsertedRow = Readonly<Record<string, unknown>>;

const NULL = sql`null`;

function insertedValues({ inserted }: KnownTable, row: InsertedRow): unknown[] {
  const values: unknown[] = [];
  for (let index = 0; index < inserted.length; index++) {
    const [key, column] = inserted[index] as KnownTable["inserted"][number];
    const given = row[key];
    const isGiven = given !== undefined && !(is(given, Param) && given.value === undefined);
    values.push(isGiven ? given : defaultOf(column));
  }
  return values;
}

function defaultOf(column: Column): unknown {
  const { default: constant, defaultFn, onUpdateFn } = column;
  if (constant !== null && constant !== undefined) return asValue(constant, column);
  if (defaultFn !== undefined) return asValue(defaultFn(), column);
  return onUpdateFn !== undefined ? asValue(onUpdateFn(), column) : NULL;
}

function asValue(value: unknown, column: Column): unknown {
  return is(value, SQL) ? value : new Param(value, column);
}

export function updateQuery(dialect: SQLiteDialect, config: UpdateConfig): WriteQuery {
  if (config.from || config.joins.length > 0 || !isWrittenReturning(config)) {
    const sql = dialect.buildUpdateQuery(config as never);
    return (writer) => writer.write(sql);
  }
  const known = knownTable(config.table);
  const changes = updatedValues(known, config.set);
  return (writer) => {
    writeWith(writer, config.withList);
    writer.sql += `update ${known.text} set `;
    for (let index = 0; index < changes.length; index++) {
      const [column, value] = changes[index] as Change;
      writer.sql += `${index > 0 ? ", " : ""}${knownColumn(column).name} = `;
      writer.write(value);
    }
    writePart(writer, " where ", config.where);
    writeReturning(writer, config.returning, known);
    writeEnd(writer, config);
  };
}

type Change = readonly [column: Column, value: unknown];

function updatedValues({ columns }: KnownTable, set: UpdateConfig["set"]): readonly Change[] {
  const changes: Change[] = [];
  for (const key of Object.keys(columns)) {
    const column = columns[key] as Column;
    if (set[key] === undefined && column.onUpdateFn === undefined) continue;
    const updated: unknown = column.onUpdateFn?.();
    changes.push([column, set[key] ?? asValue(updated, column)]);
  }
  return changes;
}

export function deleteQuery(dialect: SQLiteDialect, config: DeleteConfig): WriteQuery {
  if (!isWrittenReturning(config)) {
    const sql = dialect.buildDeleteQuery(config as never);
    return (writer) => writer.write(sql);
  }
  const known = knownTable(config.table);
  return (writer) => {
    writeWith(writer, config.withList);
    writer.sql += `delete from ${known.text}`;
    writePart(writer, " where ", config.where);
    writeReturning(writer, config.returning, known);
    writeEnd(writer, config);
  };
}

function isWrittenReturning({ table, returning }: ChangeConfig): boolean {
  if (!returning || returning === knownTable(table).fields) return true;
  return returning.every(
    ({ field }) => is(field, Column) || is(field, SQL) || is(field, SQL.Aliased),
  );
}

function writeReturning(
  writer: SqlWriter,
  returning: SelectedFieldsOrdered | undefined,
  known: KnownTable,
): void {
  if (!returning) return;
  writer.sql += " returning ";
  if (returning === known.fields) writer.sql += known.selection;
  else writeSelection(writer, returning, "selected");
}

/** What Drizzle makes of the fields of a select: a list, each with the way to it. */
export function orderedFields(fields: object, above: readonly string[] = NONE): Field[] {
  const ordered: Field[] = [];
  addFields(fields, above, ordered);
  return ordered;
}

function addFields(fields: object, above: readonly string[], ordered: Field[]): void {
  for (const name of Object.keys(fields)) {
    const field: unknown = (fields as Readonly<Record<string, unknown>>)[name];
    const path = [...above, name];
    if (isField(field)) ordered.push({ path, field } as Field);
    else addFields(is(field, Table) ? knownTable(field).columns : (field as object), path, ordered);
  }
}

function isField(field: unknown): boolean {
  return is(field, Column) || is(field, SQL) || is(field, SQL.Aliased) || is(field, Subquery);
}
