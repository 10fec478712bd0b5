// The whole schema as data for programs, and as a listing for people.
import { columnChecks } from "../checks.js";
import { expressionText, queryText } from "../expression.js";
import {
  declaredStatements,
  type ColumnShape,
  type TableShape,
  type ViewShape,
} from "../registry.js";
import { constantText, nameText } from "../sql-text.js";
import { edgesOf, isKey, typeWord, type Edge } from "./graph.js";
import { rowRule, valueRule } from "./rules.js";

/**
 * A schema as plain data: what `schemascript evaluate --json` prints. What is not there is left
 * out; SQL is text.
 *
 * @example
 * ```ts
 * import { describeSchema, Schema, type SchemaDescription } from "schemascript";
 *
 * Schema("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text().max(80) }));
 * const schema: SchemaDescription = describeSchema();
 * console.log(schema.tables[0]?.columns.map(({ name }) => name)); // ["id", "name"]
 * ```
 */
export interface SchemaDescription {
  readonly version: 1;
  readonly tables: readonly TableDescription[];
  readonly views: readonly {
    readonly name: string;
    readonly columns: readonly string[];
    readonly sql: string;
  }[];
  /** What Statement() says. */
  readonly statements?: readonly string[];
}

/** One table of a SchemaDescription. */
export interface TableDescription {
  readonly name: string;
  readonly description?: string;
  readonly was?: string;
  readonly strict: boolean;
  readonly withoutRowid: boolean;
  readonly columns: readonly ColumnDescription[];
  /** The columns of the primary key. */
  readonly identifier: readonly string[];
  readonly references: readonly ReferenceDescription[];
  readonly uniques: readonly { readonly name: string; readonly columns: readonly string[] }[];
  readonly indexes: readonly {
    readonly name: string;
    readonly unique: boolean;
    readonly on: readonly string[];
    readonly where?: string;
  }[];
  readonly checks: readonly { readonly name: string; readonly sql: string }[];
  readonly search?: { readonly name: string; readonly columns: readonly string[] };
  readonly statement?: string;
}

/** One column of a TableDescription. */
export interface ColumnDescription {
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly storage: string;
  /** What it is declared as, where it is not its storage. */
  readonly declared?: string;
  readonly collation?: string;
  readonly array: boolean;
  readonly required: boolean;
  readonly identifier: boolean;
  readonly autoIncrement: boolean;
  readonly unique: boolean;
  readonly index: boolean;
  readonly optionalOnInsert: boolean;
  readonly options?: readonly string[];
  readonly numbers?: Readonly<Record<string, number>>;
  readonly custom?: string;
  readonly default?: string;
  readonly generated?: { readonly sql?: string; readonly stored: boolean };
  readonly min?: number | string;
  readonly max?: number | string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly description?: string;
  readonly was?: string;
}

/** A reference of one or more columns, to as many of another table. */
export interface ReferenceDescription {
  readonly columns: readonly string[];
  readonly table: string;
  readonly targets: readonly string[];
  readonly onDelete?: string;
  readonly onUpdate?: string;
  readonly deferred?: boolean;
}

/** The description of these tables and views. */
export function describe(
  tables: readonly TableShape[],
  views: readonly ViewShape[],
): SchemaDescription {
  const statements = declaredStatements().map(({ sql }) => queryText(sql, "a statement"));
  return {
    version: 1,
    tables: tables.map(tableDescription),
    views: views.map(({ name, columns, query }) => ({
      name,
      columns,
      sql: queryText(query, `the view ${name}`),
    })),
    ...(statements.length > 0 && { statements }),
  };
}

function tableDescription(table: TableShape): TableDescription {
  const nameOf = (key: string) => table.columns.find((each) => each.key === key)?.name ?? key;
  const { description, was, search, statement } = table;
  return {
    name: table.name,
    ...(description && { description }),
    ...(was && { was }),
    strict: table.strict,
    withoutRowid: table.withoutRowid,
    columns: table.columns.map((column) => columnDescription(table, column)),
    identifier: table.columns.filter((column) => isKey(table, column)).map(({ name }) => name),
    references: edgesOf(table).map(referenceDescription),
    uniques: table.uniques.map(({ name, columns }) => ({ name, columns: columns.map(nameOf) })),
    indexes: table.indexes.map(({ name, unique, on, where }) => ({
      name,
      unique,
      on: on.map((part) =>
        typeof part === "string" ? nameOf(part) : expressionText(part, `the index ${name}`),
      ),
      ...(where && { where: expressionText(where, `the index ${name}`) }),
    })),
    checks: [
      ...table.columns
        .flatMap((column) => columnChecks(table, column))
        .map(({ name, condition }) => ({ name, sql: condition })),
      ...table.checks.map(({ name, condition }) => ({
        name,
        sql: expressionText(condition, `the check ${name}`),
      })),
    ],
    ...(search && { search: { name: search.name, columns: search.columns.map(nameOf) } }),
    ...(statement && { statement: expressionText(statement, `${table.name}: its statement`) }),
  };
}

function columnDescription(table: TableShape, column: ColumnShape): ColumnDescription {
  const { options, min, max, minLength, maxLength } = valueRule(column);
  const { numbers, custom, generated, pattern, description, was } = column;
  const field = rowRule(table, "insert").fields.find(({ key }) => key === column.key);
  return {
    key: column.key,
    name: column.name,
    type: column.type === "numbered" ? "enum" : column.type,
    storage: column.storage,
    ...(column.declared !== undefined && { declared: column.declared }),
    ...(column.collation !== undefined && { collation: column.collation }),
    array: column.array,
    required: column.required,
    identifier: isKey(table, column),
    autoIncrement: column.autoIncrement,
    unique: column.unique,
    index: column.index,
    optionalOnInsert: field?.optional ?? true,
    ...(options && { options }),
    ...(numbers && { numbers }),
    ...(custom && { custom: custom.name }),
    ...(column.default && { default: defaultText(table, column) }),
    ...(generated && {
      generated: { sql: generatedText(table, column), stored: generated.stored },
    }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(minLength !== undefined && { minLength }),
    ...(maxLength !== undefined && { maxLength }),
    ...(pattern && { pattern: String(pattern) }),
    ...(description && { description }),
    ...(was && { was }),
  };
}

function defaultText(table: TableShape, column: ColumnShape): string {
  const given = column.default as NonNullable<ColumnShape["default"]>;
  if ("stored" in given) return constantText(given.stored);
  return expressionText(given.expression, `${table.name}.${column.name}: its default`);
}

function generatedText(table: TableShape, column: ColumnShape): string {
  const expression = column.generated?.expression;
  return expressionText(
    typeof expression === "function" ? expression() : expression,
    `${table.name}.${column.name}: what it is generated from`,
  );
}

function referenceDescription(edge: Edge): ReferenceDescription {
  const { columns, to, toColumns, onDelete, onUpdate, deferred } = edge;
  return {
    columns,
    table: to,
    targets: toColumns,
    ...(onDelete && { onDelete }),
    ...(onUpdate && { onUpdate }),
    ...(deferred && { deferred }),
  };
}

/** The listing for people: each table with its columns, and what is kept of them. */
export function listing(tables: readonly TableShape[], views: readonly ViewShape[]): string {
  if (tables.length + views.length === 0) return "No table is declared.\n";
  const schema = describe(tables, views);
  const parts = schema.tables.map((table, index) =>
    tableListing(table, tables[index] as TableShape),
  );
  for (const view of schema.views) parts.push(`${view.name} (view)\n  ${view.columns.join(", ")}`);
  return `${parts.join("\n\n")}\n`;
}

function tableListing(table: TableDescription, shape: TableShape): string {
  const rows = table.columns.map((column, index) => {
    const own = shape.columns[index] as ColumnShape;
    return [column.name, typeWord(own), column.required ? "" : "optional", facts(table, column)];
  });
  const widths = [0, 1, 2].map((at) => Math.max(...rows.map((row) => [...(row[at] ?? "")].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell + " ".repeat(Math.max(0, (widths[at] ?? 0) - [...cell].length)))
      .filter((_, at) => widths[at] !== 0)
      .join("  ")
      .trimEnd(),
  );
  const extras = [
    ...(table.identifier.length > 1 ? [`identifier (${table.identifier.join(", ")})`] : []),
    ...table.references
      .filter(({ columns }) => columns.length > 1)
      .map((each) => `(${each.columns.join(", ")}) ${referenceText(each)}`),
    ...table.uniques.map(({ columns }) => `unique (${columns.join(", ")})`),
    ...table.indexes.map(
      ({ unique, on, where }) =>
        `${unique ? "unique index" : "index"} (${on.join(", ")})${where ? ` where ${where}` : ""}`,
    ),
    ...shape.checks.map(
      ({ name }) => `check ${table.checks.find((each) => each.name === name)?.sql}`,
    ),
    ...(table.search ? [`search (${table.search.columns.join(", ")})`] : []),
    ...(table.strict ? [] : ["not strict"]),
    ...(table.withoutRowid ? ["without rowid"] : []),
    ...(table.statement === undefined ? [] : ["by a statement of its own"]),
  ];
  const head = table.description ? `${table.name} - ${oneLine(table.description)}` : table.name;
  return [head, ...[...lines, ...extras].map((line) => `  ${line}`)].join("\n");
}

function facts(table: TableDescription, column: ColumnDescription): string {
  const { min, max, minLength, maxLength, pattern, generated } = column;
  const parts: string[] = [];
  if (column.declared !== undefined) parts.push(`declared as ${oneLine(column.declared)}`);
  if (column.identifier && table.identifier.length === 1) parts.push("identifier");
  if (column.autoIncrement) parts.push("autoIncrement");
  if (column.unique) parts.push("unique");
  if (column.collation !== undefined) parts.push(`collate ${column.collation}`);
  if (column.index) parts.push("index");
  if (column.numbers) {
    parts.push(
      Object.entries(column.numbers)
        .map(([name, number]) => `${name} = ${number}`)
        .join(", "),
    );
  } else if (column.options) parts.push(column.options.join(" | "));
  if (min !== undefined) parts.push(`min ${min}`);
  if (max !== undefined) parts.push(`max ${max}`);
  if (minLength !== undefined && minLength === maxLength) parts.push(`length ${minLength}`);
  else {
    if (minLength !== undefined) parts.push(`min length ${minLength}`);
    if (maxLength !== undefined) parts.push(`max length ${maxLength}`);
  }
  if (pattern) parts.push(pattern);
  if (column.default !== undefined) parts.push(`default ${column.default}`);
  if (generated)
    parts.push(`generated ${generated.stored ? "and stored " : ""}as ${generated.sql}`);
  for (const reference of table.references) {
    if (reference.columns.length === 1 && reference.columns[0] === column.name) {
      parts.push(referenceText(reference));
    }
  }
  if (column.key !== column.name) parts.push(`as ${column.key}`);
  if (column.description) parts.push(`"${oneLine(column.description)}"`);
  return parts.join("; ");
}

function referenceText({ table, targets, onDelete, onUpdate }: ReferenceDescription): string {
  const actions = [onDelete && `on delete ${onDelete}`, onUpdate && `on update ${onUpdate}`];
  return [`-> ${nameOf(table)}.${targets.join(", ")}`, ...actions].filter(Boolean).join(" ");
}

function nameOf(table: string): string {
  return /^\w+$/.test(table) ? table : nameText(table);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
