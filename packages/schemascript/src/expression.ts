// SQL objects as text that stands alone: what constraints, indexes and views hold.
import { is, SQL } from "drizzle-orm";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import { invalidSchema } from "./errors.js";
import { constantText } from "./sql-text.js";

// Parameters are written into the text as constants.
class ConstantDialect extends SQLiteSyncDialect {
  override escapeParam(_index: number, parameter?: unknown): string {
    return constantText(parameter);
  }
}

const dialect = new ConstantDialect();

/** An expression within one table: its columns are written without the table's name. */
export function expressionText(expression: unknown, where: string): string {
  return textOf(expression, where, "indexes");
}

/** A whole query. */
export function queryText(query: SQL, where: string): string {
  return textOf(query, where);
}

function textOf(expression: unknown, where: string, source?: "indexes"): string {
  if (!is(expression, SQL)) throw invalidSchema(`${where} is not SQL: write it as sql\`...\``);
  try {
    return dialect.sqlToQuery(expression, source).sql;
  } catch (cause) {
    throw invalidSchema(`${where} cannot be written as SQL`, cause);
  }
}
