// SQL for people and for `push`: CREATE TABLE and CREATE UNIQUE INDEX of the declared tables.
import { getTableName, Table as DrizzleTable, type SQL } from "drizzle-orm";
import { SQLiteSyncDialect, type AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { invalidSchema } from "./errors.js";
import { declaredTables, type ColumnShape, type TableShape } from "./registry.js";
import { schemaShape, type Schema } from "./schema.js";
import { constantText, nameText } from "./sql-text.js";
import { checkOf, referenced, shapeOfTable } from "./table.js";

/**
 * The SQL that creates the tables, one statement each: referenced tables first, and a table's
 * unique indexes behind it. Without an argument, of all tables that were declared with Schema() and
 * Table().
 *
 * @example
 * ```ts
 * import { schemaStatements, Table } from "schemascript";
 *
 * const users = Table("users", (prop) => ({
 *   id: prop.integer().identifier(),
 *   email: prop.text().unique(),
 * }));
 * console.log(schemaStatements([users]).join("\n"));
 * // CREATE TABLE "users" (
 * //   "id" INTEGER PRIMARY KEY,
 * //   "email" TEXT NOT NULL
 * // ) STRICT;
 * // CREATE UNIQUE INDEX "users_email_unique" ON "users" ("email");
 * ```
 */
export function schemaStatements(tables?: readonly (Schema | DrizzleTable)[]): readonly string[] {
  const shapes = tables ? tables.map(shapeOf) : declaredTables();
  const byName = new Map<string, Rendered>();
  for (const shape of shapes) {
    const rendered = render(shape);
    const name = shape.name.toLowerCase(); // SQLite does not tell "Users" from "users".
    const other = byName.get(name);
    if (other && !isSame(other, rendered)) {
      throw invalidSchema(
        [`two different tables are called ${shape.name}:`, ...other.statements]
          .concat("and", rendered.statements)
          .join("\n"),
      );
    }
    if (!other) byName.set(name, rendered);
  }
  return inOrder(byName).flatMap(({ statements }) => statements);
}

interface Rendered {
  readonly statements: readonly string[];
  /** What does not show in the SQL and still makes two shapes different. */
  readonly types: string;
  readonly references: readonly string[];
}

function shapeOf(table: unknown): TableShape {
  const shape = schemaShape(table) ?? shapeOfTable(table);
  if (!shape) throw invalidSchema("schemaStatements() takes what Schema() and Table() made");
  return shape;
}

function isSame(one: Rendered, other: Rendered): boolean {
  return one.types === other.types && one.statements.join() === other.statements.join();
}

// Depth first, in the order of declaration. A cycle is cut where it closes: SQLite takes a
// reference to a later table.
function inOrder(byName: ReadonlyMap<string, Rendered>): readonly Rendered[] {
  const ordered = new Set<Rendered>();
  const entered = new Set<string>();
  const visit = (name: string): void => {
    const table = byName.get(name);
    if (!table || entered.has(name)) return;
    entered.add(name);
    table.references.forEach(visit);
    ordered.add(table);
  };
  for (const name of byName.keys()) visit(name);
  return [...ordered];
}

function render(table: TableShape): Rendered {
  const references: string[] = [];
  const lines = table.columns.map((column) => {
    const parts = [nameText(column.name), column.storage, ...constraints(table, column)];
    if (column.reference) {
      const target = checkedTarget(table, column);
      references.push(getTableName(target.table).toLowerCase());
      parts.push(...referenceText(column, target));
    }
    return `  ${parts.join(" ")}`;
  });
  const indexes = table.columns
    .filter((column) => column.unique)
    .map((column) => {
      const index = nameText(`${table.name}_${column.name}_unique`);
      return `CREATE UNIQUE INDEX ${index} ON ${nameText(table.name)} (${nameText(column.name)});`;
    });
  return {
    statements: [
      `CREATE TABLE ${nameText(table.name)} (\n${lines.join(",\n")}\n) STRICT;`,
      ...indexes,
    ],
    types: table.columns
      .map(({ key, type, custom }) => [key, type, custom?.name ?? ""].join(" "))
      .join(),
    references,
  };
}

function constraints(table: TableShape, column: ColumnShape): string[] {
  const parts: string[] = [];
  if (column.identifier) parts.push("PRIMARY KEY");
  if (column.autoIncrement) parts.push("AUTOINCREMENT");
  // An INTEGER PRIMARY KEY is the rowid, which is never NULL; any other primary key of SQLite may
  // be.
  const isRowid = column.identifier && column.storage === "INTEGER";
  if (column.required && !isRowid) parts.push("NOT NULL");
  if (column.default) parts.push(`DEFAULT ${defaultText(table, column)}`);
  const check = checkOf(table, column);
  if (check) parts.push(`CONSTRAINT ${nameText(check.name)} CHECK (${check.condition})`);
  return parts;
}

// Parameters of an expression are written into it as constants.
class ConstantDialect extends SQLiteSyncDialect {
  override escapeParam(_index: number, parameter?: unknown): string {
    return constantText(parameter);
  }
}

const dialect = new ConstantDialect();

function defaultText(table: TableShape, column: ColumnShape): string {
  const given = column.default as NonNullable<ColumnShape["default"]>;
  try {
    if ("expression" in given) return `(${expressionText(given.expression)})`;
    const text = constantText(given.stored);
    return text.startsWith("CAST") ? `(${text})` : text;
  } catch (cause) {
    throw invalidSchema(
      `${table.name}.${column.name}: its default cannot be written as SQL`,
      cause,
    );
  }
}

function expressionText(expression: SQL): string {
  return dialect.sqlToQuery(expression).sql;
}

// What SQLite would only say when the first row is inserted, as "foreign key mismatch".
function checkedTarget(table: TableShape, column: ColumnShape): AnySQLiteColumn {
  const target = referenced(table, column);
  const from = `${table.name}.${column.name}`;
  const to = `${getTableName(target.table)}.${target.name}`;
  if (!shapeOfTable(target.table)) return target; // Plain Drizzle: its keys may be composite.
  if (!target.primary && !target.isUnique) {
    throw invalidSchema(`${from} references ${to}, which is neither an identifier nor unique`);
  }
  const storage = target.getSQLType().toUpperCase();
  if (storage !== column.storage) {
    throw invalidSchema(`${from} is ${column.storage} and references ${to}, which is ${storage}`);
  }
  return target;
}

function referenceText(column: ColumnShape, target: AnySQLiteColumn): string[] {
  const parts = [`REFERENCES ${nameText(getTableName(target.table))} (${nameText(target.name)})`];
  const { onDelete, onUpdate } = column.reference ?? {};
  if (onDelete) parts.push(`ON DELETE ${onDelete.toUpperCase()}`);
  if (onUpdate) parts.push(`ON UPDATE ${onUpdate.toUpperCase()}`);
  return parts;
}

/** For the host: the SQL of all declared tables as one text; empty when there are none. */
export function pendingSchema(): string {
  return schemaStatements().join("\n");
}
