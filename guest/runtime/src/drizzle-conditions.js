// In place of drizzle-orm's conditions.js (build.mjs): the same objects, made without its tagged
// templates, which take three times as long, and without asking what a plain value is an instance of.
import { bindIfParam } from "drizzle-orm/sql/expressions/conditions";
import { isDriverValueEncoder, Param, SQL, sql, StringChunk } from "drizzle-orm/sql/sql";

export * from "drizzle-orm/sql/expressions/conditions";

const NOTHING = new StringChunk("");
const OPEN = new StringChunk("(");
const CLOSE = new StringChunk(")");

const comparison = (operator) => {
  const between = new StringChunk(` ${operator} `);
  return (left, right) => new SQL([NOTHING, left, between, bound(right, left), NOTHING]);
};

const bound = (value, column) => {
  if (typeof value === "object" || typeof value === "function") return bindIfParam(value, column);
  return isDriverValueEncoder(column) ? new Param(value, column) : value;
};

export const eq = comparison("=");
export const ne = comparison("<>");
export const gt = comparison(">");
export const gte = comparison(">=");
export const lt = comparison("<");
export const lte = comparison("<=");

const combination = (operator) => {
  const between = new StringChunk(` ${operator} `);
  return (...conditions) => {
    const given = conditions.filter((condition) => condition !== undefined);
    if (given.length === 0) return undefined;
    if (given.length === 1) return new SQL(given);
    return new SQL([OPEN, sql.join(given, between), CLOSE]);
  };
};

export const and = combination("and");
export const or = combination("or");
