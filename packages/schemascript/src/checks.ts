// What the database enforces of a column beyond its type, NOT NULL and keys: its CHECK constraints.
import { sql } from "drizzle-orm";
import { expressionText } from "./expression.js";
import { patternCondition } from "./pattern.js";
import type { ColumnShape, TableShape } from "./registry.js";
import { constantText, nameText } from "./sql-text.js";
import { toStored } from "./storage.js";

/** A CHECK constraint: its name and its condition as SQL. */
export interface Check {
  readonly name: string;
  readonly condition: string;
}

/**
 * The constraints of a column, by name: `table_column_check` for its type, `_min`, `_max`,
 * `_length`, `_pattern` for its bounds, and `_check_1` and so on for its own conditions.
 */
export function columnChecks(table: TableShape, column: ColumnShape): readonly Check[] {
  const checks: Check[] = [];
  const add = (suffix: string, condition: string | undefined) => {
    if (condition !== undefined) {
      checks.push({ name: `${table.name}_${column.name}_${suffix}`, condition });
    }
  };
  const name = nameText(column.name);
  const measure = measureOf(column, name);
  const bound = (value: unknown) =>
    constantText(
      isCounted(column) ? value : toStored(column, value, `${table.name}.${column.name}`),
    );

  add("check", typeCondition(column, name));
  // No count is below 0.
  if (column.min !== undefined && !(isCounted(column) && column.min === 0)) {
    add("min", `${measure.text} >= ${bound(column.min)}${measure.isWhole}`);
  }
  if (column.max !== undefined) {
    add("max", `${measure.text} <= ${bound(column.max)}${measure.isWhole}`);
  }
  if (column.length !== undefined) {
    add("length", `${measure.text} = ${column.length}${measure.isWhole}`);
  }
  if (column.pattern) add("pattern", patternCondition(column.pattern, name));
  column.checks.forEach((check, index) => {
    const condition =
      typeof check === "function" ? check(sql`${sql.identifier(column.name)}`) : check;
    const where = `${table.name}.${column.name}: its check`;
    add(`check_${index + 1}`, expressionText(condition, where));
  });
  return checks;
}

/** Whether min, max and length count something, rather than bound the value itself. */
function isCounted(column: ColumnShape): boolean {
  return column.array || column.type === "text" || column.type === "blob";
}

// length() stops at a NUL: a text that holds one is refused, or it could be longer than it says.
function measureOf(column: ColumnShape, name: string): { text: string; isWhole: string } {
  if (column.array) return { text: `json_array_length(${name})`, isWhole: "" };
  if (column.type === "text") {
    return { text: `length(${name})`, isWhole: ` AND instr(${name}, char(0)) = 0` };
  }
  if (column.type === "blob") return { text: `length(${name})`, isWhole: "" };
  return { text: name, isWhole: "" };
}

function typeCondition(column: ColumnShape, name: string): string | undefined {
  // In this order: json_type() fails on what is not JSON.
  if (column.array)
    return `CASE WHEN json_valid(${name}) THEN json_type(${name}) = 'array' ELSE ${name} IS NULL END`;
  const oneOf = (values: readonly unknown[]) =>
    `${name} IN (${values.map(constantText).join(", ")})`;
  switch (column.type) {
    case "enum":
      return oneOf(column.options ?? []);
    case "numbered":
      return oneOf(Object.values(column.numbers ?? {}));
    case "boolean":
      return oneOf([0, 1]);
    case "node":
      // Before SQLite 3.45, NULL is not valid.
      return column.required ? `json_valid(${name})` : `(${name} IS NULL OR json_valid(${name}))`;
    default:
      return undefined;
  }
}
