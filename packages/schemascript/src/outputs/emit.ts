// All outputs of a whole schema, by name: what `schemascript compile --emit` and `evaluate` print.
import { invalidSchema } from "../errors.js";
import { declaredTables, declaredViews, type TableShape } from "../registry.js";
import { schemaStatements } from "../statements.js";
import { describe, listing, type SchemaDescription } from "./describe.js";
import { jsonSchemaDocument } from "./json-schema.js";
import { mermaidText } from "./mermaid.js";
import { validatorModule } from "./standalone.js";
import { svgText } from "./svg.js";
import { interfacesModule } from "./typescript.js";

/** What can be made of a schema. */
export type EmitKind =
  | "ts"
  | "json"
  | "js"
  | "sql"
  | "mermaid"
  | "svg"
  | "text"
  | "describe"
  | "migration";

/** One text that was made, and what a file of it is called. */
export interface Emitted {
  readonly fileName: string;
  readonly text: string;
}

/** For the host: one output of all declared tables. */
export function emitSchema(kind: EmitKind): Emitted[] {
  const emitter = Object.hasOwn(EMITTERS, kind) ? EMITTERS[kind] : undefined;
  if (!emitter)
    throw invalidSchema(`there is no output ${kind}: ${Object.keys(EMITTERS).join(", ")}`);
  const [fileName, make] = emitter;
  const statements = schemaStatements(); // Throws where two tables of one name differ.
  return [{ fileName, text: make(tablesByName(), statements) }];
}

const EMITTERS: Record<
  EmitKind,
  readonly [
    fileName: string,
    make: (tables: readonly TableShape[], sql: readonly string[]) => string,
  ]
> = {
  ts: ["schema.types.ts", (tables) => interfacesModule(tables)],
  json: ["schema.json", (tables) => jsonText(jsonSchemaDocument(tables))],
  js: ["schema.validators.js", validatorModule],
  sql: ["schema.sql", (_, statements) => sqlText(statements)],
  mermaid: ["schema.mmd", mermaidText],
  svg: ["schema.svg", svgText],
  text: ["schema.txt", (tables) => listing(tables, declaredViews())],
  describe: ["schema.describe.json", (tables) => jsonText(describe(tables, declaredViews()))],
  migration: ["schema.migration.json", migrationText],
};

/**
 * The declared schema as plain data, for programs.
 *
 * @example
 * ```ts
 * import { describeSchema, Schema } from "schemascript";
 *
 * Schema("users", (prop) => ({ id: prop.integer().identifier(), email: prop.text().unique() }));
 * for (const { name, columns } of describeSchema().tables) console.log(name, columns.length);
 * ```
 */
export function describeSchema(): SchemaDescription {
  return describe(tablesByName(), declaredViews());
}

// A Schema and a Table of one name are one table.
function tablesByName(): readonly TableShape[] {
  const byName = new Map<string, TableShape>();
  for (const shape of declaredTables()) {
    const name = shape.name.toLowerCase(); // SQLite does not tell "Users" from "users".
    if (!byName.has(name)) byName.set(name, shape);
  }
  return [...byName.values()];
}

// A blank line before each table, so that its indexes and triggers stand with it.
function sqlText(statements: readonly string[]): string {
  return statements
    .map((statement, index) =>
      index > 0 && /^CREATE (?:TABLE|VIEW|VIRTUAL)/.test(statement) ? `\n${statement}` : statement,
    )
    .map((statement) => `${statement}\n`)
    .join("");
}

// For the host, which compares it with the migrations that there are: what is wanted, and what the
// things in it were called.
function migrationText(tables: readonly TableShape[], sql: readonly string[]): string {
  const renames = tables.flatMap(({ name: table, was, columns }) => [
    ...(was === undefined ? [] : [{ table, was }]),
    ...columns.flatMap(({ name: column, was: old }) =>
      old === undefined ? [] : [{ table, column, was: old }],
    ),
  ]);
  return jsonText({ sql, renames });
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
