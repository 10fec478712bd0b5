// SQL for people and for `push`: CREATE statements of the declared tables, and of what stands beside
// them.
import { getTableName, Table as DrizzleTable } from "drizzle-orm";
import { type AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { columnChecks, type Check } from "./checks.js";
import { invalidSchema } from "./errors.js";
import { expressionText, queryText } from "./expression.js";
import {
  declaredStatements,
  declaredTables,
  declaredViews,
  type ColumnShape,
  type IndexShape,
  type StatementShape,
  type TableShape,
  type ViewShape,
} from "./registry.js";
import { schemaShape, type Schema } from "./schema.js";
import { searchStatements } from "./search.js";
import { closedText, constantText, nameText } from "./sql-text.js";
import { shapeOfStatement, type Statement } from "./statement.js";
import { generatedText, referenced, referencedTogether, shapeOfTable } from "./table.js";
import { shapeOfView, type View } from "./view.js";

/**
 * The SQL that creates the tables, one statement each: referenced tables first, and behind a table
 * its indexes, its search and the triggers that keep that; then the views, and what Statement()
 * says. Without an argument, of everything that was declared with Schema(), Table(), View() and
 * Statement().
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
export function schemaStatements(
  tables?: readonly (Schema | DrizzleTable | View | Statement)[],
): readonly string[] {
  const given = tables?.map(shapeOf) ?? [
    ...declaredTables(),
    ...declaredViews(),
    ...declaredStatements(),
  ];
  const shapes = given.filter((shape): shape is TableShape | ViewShape => !isStatement(shape));
  const last = given.filter(isStatement).map(renderStatement);
  const byName = new Map<string, Rendered>();
  const views = new Map<string, Rendered>();
  for (const shape of shapes) {
    const isView = "query" in shape;
    const rendered = isView ? renderView(shape) : render(shape);
    const name = shape.name.toLowerCase(); // SQLite does not tell "Users" from "users".
    const other = byName.get(name) ?? views.get(name);
    if (other && !isSame(other, rendered)) {
      const what = isView ? "two different tables or views" : "two different tables";
      throw invalidSchema(
        [`${what} are called ${shape.name}:`, ...other.statements]
          .concat("and", rendered.statements)
          .join("\n"),
      );
    }
    if (!other) (isView ? views : byName).set(name, rendered);
  }
  for (const shape of shapes) {
    const name = "search" in shape ? shape.search?.name.toLowerCase() : undefined;
    if (name !== undefined && (byName.has(name) || views.has(name))) {
      throw invalidSchema(
        `${shape.name}: its search is a table ${name}, and another has that name`,
      );
    }
  }
  const rendered = [...inOrder(byName), ...views.values()];
  return [...rendered.flatMap(({ statements }) => statements), ...last];
}

interface Rendered {
  readonly statements: readonly string[];
  /** What does not show in the SQL and still makes two shapes different. */
  readonly types: string;
  readonly references: readonly string[];
}

function shapeOf(table: unknown): TableShape | ViewShape | StatementShape {
  const shape =
    schemaShape(table) ?? shapeOfTable(table) ?? shapeOfView(table) ?? shapeOfStatement(table);
  if (!shape) {
    throw invalidSchema(
      "schemaStatements() takes what Schema(), Table(), View() and Statement() made",
    );
  }
  return shape;
}

function isStatement(shape: TableShape | ViewShape | StatementShape): shape is StatementShape {
  return "sql" in shape;
}

function renderStatement({ sql }: StatementShape): string {
  return closedText(queryText(sql, "a statement"));
}

function renderView({ name, columns, query, columnList }: ViewShape): Rendered {
  const text = closedText(queryText(query, `${name}: its query`));
  const names = columnList ? ` (${columns.map(nameText).join(", ")})` : "";
  const statement = `CREATE VIEW ${nameText(name)}${names} AS\n  ${text}`;
  return { statements: [statement], types: "", references: [] };
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
  const { lines, references } = table.statement ? renderedAside(table) : renderLines(table);
  const options = [table.strict && "STRICT", table.withoutRowid && "WITHOUT ROWID"];
  const behind = options.filter((option) => option !== false).join(", ");
  const body = lines.map((line) => `  ${line}`).join(",\n");
  const statement = table.statement
    ? closedText(expressionText(table.statement, `${table.name}: its statement`))
    : `CREATE TABLE ${nameText(table.name)} (\n${body}\n)${behind && ` ${behind}`};`;
  return {
    statements: [
      statement,
      ...indexesOf(table).map((index) => indexText(table, index)),
      ...searchStatements(table),
    ],
    types: table.columns
      .map(({ key, type, custom }) => [key, type, custom?.name ?? ""].join(" "))
      .join(),
    references,
  };
}

interface Lines {
  readonly lines: readonly string[];
  readonly references: string[];
}

// Of a table that has a statement of its own: only where it leads counts.
function renderedAside(table: TableShape): Lines {
  const targets = [
    ...table.columns.filter(({ reference }) => reference).map((each) => referenced(table, each)),
    ...table.foreignKeys.map((_, at) => referencedTogether(table, at)[0] as AnySQLiteColumn),
  ];
  return { lines: [], references: targets.map((each) => getTableName(each.table).toLowerCase()) };
}

function renderLines(table: TableShape): Lines {
  const references: string[] = [];
  const lines = table.columns.map((column) => {
    const type = typeText(table, column);
    const parts = [nameText(column.name), ...type, ...constraints(table, column)];
    if (column.reference) {
      const target = checkedTarget(table, column);
      references.push(getTableName(target.table).toLowerCase());
      parts.push(...referencesText([target], column.reference));
    }
    return parts.join(" ");
  });
  if (table.identifier) lines.push(`PRIMARY KEY ${columnList(table, table.identifier)}`);
  for (const { columns, constraint } of table.uniques) {
    if (constraint) lines.push(`UNIQUE ${columnList(table, columns)}`);
  }
  for (const { name, condition } of table.checks) {
    const text = expressionText(condition, `${table.name}: the check ${name}`);
    lines.push(checkText({ name, condition: text }));
  }
  table.foreignKeys.forEach((key, at) => {
    const targets = checkedTargets(table, at);
    references.push(getTableName((targets[0] as AnySQLiteColumn).table).toLowerCase());
    const parts = [`CONSTRAINT ${nameText(key.name)} FOREIGN KEY`, columnList(table, key.columns)];
    lines.push(parts.concat(referencesText(targets, key)).join(" "));
  });
  return { lines, references };
}

const STRICT_TYPES = ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"];

// In a table that is not STRICT, a column needs no type.
function typeText(table: TableShape, { name, storage, declared }: ColumnShape): readonly string[] {
  if (declared === undefined) return table.strict || storage !== "ANY" ? [storage] : [];
  if (table.strict && !STRICT_TYPES.includes(declared.toUpperCase())) {
    throw invalidSchema(
      `${table.name}.${name} is declared as ${declared}, which a STRICT table does not know: ` +
        "give the table strict: false",
    );
  }
  return [declared];
}

// Those of single columns first, in the order of the columns.
function indexesOf(table: TableShape): readonly IndexShape[] {
  const ofColumns = table.columns.flatMap(({ key, name, unique, uniqueConstraint, index }) => [
    ...(unique && !uniqueConstraint
      ? [{ name: `${table.name}_${name}_unique`, unique: true, on: [key] }]
      : []),
    ...(index ? [{ name: `${table.name}_${name}_index`, unique: false, on: [key] }] : []),
  ]);
  const ofTable = table.uniques
    .filter(({ constraint }) => !constraint)
    .map(({ name, columns }) => ({ name, unique: true, on: columns }));
  return [...ofColumns, ...ofTable, ...table.indexes];
}

function indexText(table: TableShape, { name, unique, on, where }: IndexShape): string {
  const parts = on.map((part) =>
    typeof part === "string"
      ? nameText(columnOf(table, part).name)
      : expressionText(part, `${table.name}: the index ${name}`),
  );
  const text = `CREATE ${unique ? "UNIQUE " : ""}INDEX ${nameText(name)} ON ${nameText(table.name)}`;
  const condition = where
    ? ` WHERE ${expressionText(where, `${table.name}: the where of ${name}`)}`
    : "";
  return `${text} (${parts.join(", ")})${condition};`;
}

function columnOf(table: TableShape, key: string): ColumnShape {
  return table.columns.find((column) => column.key === key) as ColumnShape;
}

function columnList(table: TableShape, keys: readonly string[]): string {
  return `(${keys.map((key) => nameText(columnOf(table, key).name)).join(", ")})`;
}

function constraints(table: TableShape, column: ColumnShape): string[] {
  const parts: string[] = [];
  if (column.identifier) parts.push("PRIMARY KEY");
  if (column.autoIncrement) parts.push("AUTOINCREMENT");
  // An INTEGER PRIMARY KEY is the rowid, which is never NULL; any other primary key of SQLite may
  // be.
  const declared = (column.declared ?? column.storage).toUpperCase();
  const isRowid = column.identifier && declared === "INTEGER" && !table.withoutRowid;
  if (column.required && !isRowid && !column.withoutNotNull) parts.push("NOT NULL");
  if (column.unique && column.uniqueConstraint) parts.push("UNIQUE");
  if (column.collation) parts.push(`COLLATE ${column.collation}`);
  if (column.default) parts.push(`DEFAULT ${defaultText(table, column)}`);
  if (column.generated) {
    const kind = column.generated.stored ? "STORED" : "VIRTUAL";
    parts.push(`GENERATED ALWAYS AS (${generatedText(table, column)}) ${kind}`);
  }
  return [...parts, ...columnChecks(table, column).map(checkText)];
}

function checkText({ name, condition }: Check): string {
  return `CONSTRAINT ${nameText(name)} CHECK (${condition})`;
}

function defaultText(table: TableShape, column: ColumnShape): string {
  const given = column.default as NonNullable<ColumnShape["default"]>;
  const where = `${table.name}.${column.name}: its default`;
  if ("expression" in given) return `(${expressionText(given.expression, where)})`;
  try {
    const text = constantText(given.stored);
    return text.startsWith("CAST") ? `(${text})` : text;
  } catch (cause) {
    throw invalidSchema(`${where} cannot be written as SQL`, cause);
  }
}

// What SQLite would only say when the first row is inserted, as "foreign key mismatch".
function checkedTarget(table: TableShape, column: ColumnShape): AnySQLiteColumn {
  const target = referenced(table, column);
  const from = `${table.name}.${column.name}`;
  const to = `${getTableName(target.table)}.${target.name}`;
  if (!shapeOfTable(target.table)) return target; // Plain Drizzle: its keys may be composite.
  if (!target.primary && !target.isUnique && !isUniqueAlone(target)) {
    throw invalidSchema(`${from} references ${to}, which is neither an identifier nor unique`);
  }
  const storage = otherStorage(column, target);
  if (storage) {
    throw invalidSchema(`${from} is ${column.storage} and references ${to}, which is ${storage}`);
  }
  return target;
}

// What the target is stored as, where that is not the column's storage. Nothing is held against
// declared types: their affinity decides.
function otherStorage(column: ColumnShape, target: AnySQLiteColumn): string | undefined {
  const shape = shapeOfTable(target.table)?.columns.find(({ name }) => name === target.name);
  if (column.declared !== undefined || shape?.declared !== undefined) return undefined;
  const storage = shape?.storage ?? target.getSQLType().toUpperCase();
  return storage === column.storage ? undefined : storage;
}

// Through the extras of its table.
function isUniqueAlone(target: AnySQLiteColumn): boolean {
  const shape = shapeOfTable(target.table) as TableShape;
  const isIt = (keys: readonly unknown[] = []) =>
    keys.length === 1 &&
    typeof keys[0] === "string" &&
    columnOf(shape, keys[0]).name === target.name;
  return (
    isIt(shape.identifier) ||
    shape.uniques.some(({ columns }) => isIt(columns)) ||
    shape.indexes.some(({ unique, where, on }) => unique && !where && isIt(on))
  );
}

function checkedTargets(table: TableShape, at: number): readonly AnySQLiteColumn[] {
  const { name, columns } = table.foreignKeys[at] as TableShape["foreignKeys"][number];
  const targets = referencedTogether(table, at);
  const owner = (targets[0] as AnySQLiteColumn).table;
  const shape = shapeOfTable(owner);
  if (!shape) return targets; // Plain Drizzle.
  const fail = (why: string) => invalidSchema(`${table.name}: the foreign key ${name} ${why}`);
  targets.forEach((target, index) => {
    const column = columnOf(table, columns[index] as string);
    const storage = otherStorage(column, target);
    if (storage) {
      const to = `${shape.name}.${target.name}`;
      throw fail(`leads from ${column.name}, ${column.storage}, to ${to}, which is ${storage}`);
    }
  });
  const names = targets.map((target) => target.name).sort();
  const isKey = (keys: readonly string[]) =>
    keys.length === names.length &&
    keys
      .map((key) => columnOf(shape, key).name)
      .sort()
      .join("\0") === names.join("\0");
  const keys = [
    ...(shape.identifier ? [shape.identifier] : []),
    ...shape.columns.filter((each) => each.identifier || each.unique).map(({ key }) => [key]),
    ...shape.uniques.map((each) => each.columns),
    ...shape.indexes
      .filter(
        ({ unique, where, on }) => unique && !where && on.every((each) => typeof each === "string"),
      )
      .map(({ on }) => on as readonly string[]),
  ];
  if (!keys.some(isKey)) {
    throw fail(
      `references columns of ${shape.name} that are neither an identifier nor unique together`,
    );
  }
  return targets;
}

function referencesText(
  targets: readonly AnySQLiteColumn[],
  options: Pick<TableShape["foreignKeys"][number], "onDelete" | "onUpdate" | "deferred">,
): string[] {
  const { onDelete, onUpdate, deferred } = options;
  const owner = (targets[0] as AnySQLiteColumn).table;
  const columns = targets.map((target) => nameText(target.name)).join(", ");
  const parts = [`REFERENCES ${nameText(getTableName(owner))} (${columns})`];
  if (onDelete) parts.push(`ON DELETE ${onDelete.toUpperCase()}`);
  if (onUpdate) parts.push(`ON UPDATE ${onUpdate.toUpperCase()}`);
  if (deferred) parts.push("DEFERRABLE INITIALLY DEFERRED");
  return parts;
}

/** For the host: the SQL of all declared tables as one text; empty when there are none. */
export function pendingSchema(): string {
  return schemaStatements().join("\n");
}
