// What the language has no words for: CREATE statements as they are, beside the declared tables.
import { is, SQL } from "drizzle-orm";
import { invalidSchema } from "./errors.js";
import { declareStatement, type StatementShape } from "./registry.js";

declare const declared: unique symbol;

/**
 * A statement that belongs to the schema.
 *
 * @example
 * ```ts
 * import { sql } from "drizzle-orm";
 * import { schemaStatements, Statement } from "schemascript";
 *
 * const words: Statement = Statement(
 *   sql`CREATE VIRTUAL TABLE words USING fts5(word, tokenize='porter')`,
 * );
 * console.log(schemaStatements([words]));
 * ```
 */
export interface Statement {
  /** Exists for the type checker only. */
  readonly [declared]: true;
}

const shapes = new WeakMap<object, StatementShape>();

/**
 * Adds a CREATE statement to the schema: a trigger, or an FTS5 table with options of its own. It is
 * executed as it is written, behind all tables and views, in the order of declaration.
 *
 * @example
 * ```ts
 * import { sql } from "drizzle-orm";
 * import { Statement, Table } from "schemascript";
 *
 * const accounts = Table("accounts", (prop) => ({
 *   id: prop.integer().identifier(),
 *   cents: prop.integer(),
 *   changes: prop.integer().default(0),
 * }));
 * Statement(sql`
 *   CREATE TRIGGER accounts_count AFTER UPDATE OF cents ON accounts BEGIN
 *     UPDATE accounts SET changes = changes + 1 WHERE id = new.id;
 *   END
 * `);
 * ```
 */
export function Statement(statement: SQL): Statement {
  if (!is(statement, SQL)) throw invalidSchema("Statement() takes SQL: sql`CREATE TRIGGER ...`");
  const shape: StatementShape = Object.freeze({ sql: statement });
  const made = Object.freeze({}) as Statement;
  shapes.set(made, shape);
  declareStatement(shape);
  return made;
}

/** The shape of what Statement() made, or undefined for what is none. */
export function shapeOfStatement(statement: unknown): StatementShape | undefined {
  return typeof statement === "object" && statement !== null ? shapes.get(statement) : undefined;
}
