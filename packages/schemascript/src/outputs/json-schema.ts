// JSON Schema 2020-12 of a table's rows, in the form that JSON gives their values.
import type { TableShape } from "../registry.js";
import { isIn, rowRule, type FieldRule, type RowKind, type ValueRule } from "./rules.js";

/**
 * A JSON Schema: plain data.
 *
 * @example
 * ```ts
 * import { Schema, type JsonSchema } from "schemascript";
 *
 * const Users = Schema("users", (prop) => ({ name: prop.text().max(80) }));
 * const schema: JsonSchema = Users.toJSONSchema({ kind: "insert" });
 * console.log(schema["properties"]); // { name: { type: "string", maxLength: 80 } }
 * ```
 */
export type JsonSchema = { readonly [keyword: string]: unknown };

const DIALECT = "https://json-schema.org/draft/2020-12/schema";
const INT64_MAX = 2n ** 63n - 1n;
const BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

// Stricter than some readers of "date-time": no leap second, and a whole offset.
const DATE_TIME =
  "^\\d{4}-\\d\\d-\\d\\d[Tt]\\d\\d:\\d\\d:[0-5]\\d(?:\\.\\d+)?(?:[Zz]|[+-]\\d\\d:\\d\\d)$";

const NO_NUL = "^[^\\u0000]*$";

/** The schema of a table's rows. */
export function tableJsonSchema(table: TableShape, kind: RowKind = "select"): JsonSchema {
  return { $schema: DIALECT, ...rowSchema(table, kind) };
}

/** One document for all tables: `users` is what a select answers, `users.insert` what an insert takes. */
export function jsonSchemaDocument(tables: readonly TableShape[]): JsonSchema {
  const defs: Record<string, unknown> = {};
  for (const table of tables) {
    for (const kind of ["select", "insert", "update"] as const) {
      const name = kind === "select" ? table.name : `${table.name}.${kind}`;
      // Assigned, a key "__proto__" would be lost.
      Object.defineProperty(defs, name, { value: rowSchema(table, kind), enumerable: true });
    }
  }
  return { $schema: DIALECT, $defs: defs };
}

function rowSchema(table: TableShape, kind: RowKind): JsonSchema {
  const rule = rowRule(table, kind);
  const columns = table.columns.filter((column) => isIn(column, kind));
  const required = rule.fields.filter(({ optional }) => !optional).map(({ key }) => key);
  const properties = rule.fields.map((field, index) => {
    const column = columns[index];
    const given = column?.default;
    const isPlain =
      given && "value" in given && ["string", "number", "boolean"].includes(typeof given.value);
    const schema = {
      ...fieldSchema(field),
      ...(column?.description && { description: column.description }),
      ...(isPlain && { default: given.value }),
      ...(column?.generated && { readOnly: true }),
      ...(column?.custom && { $comment: `custom type ${column.custom.name}` }),
    };
    return [field.key, schema] as const;
  });
  return {
    type: "object",
    title: table.name,
    ...(table.description && { description: table.description }),
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function fieldSchema(field: FieldRule): JsonSchema {
  const { minLength, maxLength, ...item } = field as ValueRule;
  const schema = field.array
    ? {
        type: "array",
        items: valueSchema(item),
        ...(minLength !== undefined && { minItems: minLength }),
        ...(maxLength !== undefined && { maxItems: maxLength }),
      }
    : valueSchema(field);
  return field.nullable ? nullable(schema) : schema;
}

function nullable(schema: JsonSchema): JsonSchema {
  const { type, enum: options, not, ...rest } = schema;
  if (Array.isArray(options)) return { ...schema, enum: [...(options as unknown[]), null] };
  if (typeof type === "string") return { ...schema, type: [type, "null"] };
  return not ? rest : { ...schema, type: [...(type as string[]), "null"] };
}

/** What one value is in JSON; NULL apart. */
export function valueSchema(rule: ValueRule): JsonSchema {
  const { min, max, minLength, maxLength } = rule;
  const lengths = {
    ...(minLength !== undefined && { minLength }),
    ...(maxLength !== undefined && { maxLength }),
  };
  switch (rule.type) {
    case "integer": {
      // Bounds say by themselves that the number is exact; without them, these do.
      const [least, most] = [min ?? Number.MIN_SAFE_INTEGER, max ?? Number.MAX_SAFE_INTEGER];
      return { type: "integer", minimum: least, maximum: most };
    }
    case "real":
      return {
        type: "number",
        ...(isFiniteBound(min) && { minimum: min }),
        ...(isFiniteBound(max) && { maximum: max }),
      };
    case "bigint":
      return {
        type: "string",
        pattern: digitsPattern(bigOf(min, -INT64_MAX - 1n), bigOf(max, INT64_MAX)),
      };
    case "text": {
      const pattern = patternOf(rule);
      const isBounded = rule.pattern !== undefined || Object.keys(lengths).length > 0;
      // SQLite's functions stop reading a text at a NUL.
      if (!isBounded) return { type: "string" };
      return pattern["pattern"] === undefined
        ? { type: "string", ...lengths, ...pattern, pattern: NO_NUL }
        : { type: "string", ...lengths, ...pattern, allOf: [{ pattern: NO_NUL }] };
    }
    case "blob":
      return {
        type: "string",
        contentEncoding: "base64",
        pattern: base64Pattern(minLength ?? 0, maxLength),
      };
    case "boolean":
      return { type: "boolean" };
    case "datetime":
      return {
        type: "string",
        format: "date-time",
        pattern: DATE_TIME,
      };
    case "enum":
      return { enum: [...(rule.options ?? [])] };
    case "stored":
      return STORED[rule.storage ?? "ANY"];
    default:
      return { not: { type: "null" } };
  }
}

const STORED: Record<NonNullable<ValueRule["storage"]>, JsonSchema> = {
  INTEGER: { type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
  REAL: { type: "number" },
  TEXT: { type: "string" },
  BLOB: { type: "string", contentEncoding: "base64", pattern: BASE64 },
  ANY: { type: ["string", "number"] },
};

function isFiniteBound(bound: number | string | undefined): boolean {
  return typeof bound === "number" && Number.isFinite(bound);
}

function bigOf(bound: number | string | undefined, otherwise: bigint): bigint {
  return bound === undefined ? otherwise : BigInt(bound);
}

// JSON Schema's patterns have no flags and are Unicode ones; what cannot be said so is left to the
// validator, and said in a comment.
function patternOf({ pattern }: ValueRule): JsonSchema {
  if (!pattern) return {};
  const { source, flags } = pattern;
  try {
    new RegExp(source, "u");
    if (/^u?$/.test(flags)) return { pattern: source };
  } catch {
    // Falls through to the comment.
  }
  return { $comment: `must match /${source}/${flags}` };
}

// Base64 of at least and at most so many bytes.
function base64Pattern(min: number, max: number | undefined): string {
  if (min === 0 && max === undefined) return BASE64;
  const digit = "[A-Za-z0-9+/]";
  const ends = ["", `${digit}{2}==`, `${digit}{3}=`];
  const forms = ends.flatMap((end, rest) => {
    const least = Math.max(0, Math.ceil((min - rest) / 3));
    const most = max === undefined ? "" : Math.floor((max - rest) / 3);
    return most !== "" && most < least ? [] : [`(?:${digit}{4}){${least},${most}}${end}`];
  });
  return forms.length === 0 ? "^(?!)" : `^(?:${forms.join("|")})$`;
}

/** A pattern of the integers from `min` to `max` in decimal, without a sign of zero or leading zeros. */
export function digitsPattern(min: bigint, max: bigint): string {
  const parts: string[] = [];
  const least = (low: bigint) => (low < 0n ? 0n : low);
  if (min < 0n) {
    const [low, high] = [max < 0n ? -max : 1n, -min];
    if (low <= high) parts.push(`-(?:${rangeOf(low, high).join("|")})`);
  }
  if (max >= 0n && least(min) <= max) parts.push(...rangeOf(least(min), max));
  return parts.length === 0 ? "^(?!)" : `^(?:${parts.join("|")})$`;
}

// By lengths: 7 to 1234 are 7-9, 10-99, 100-999 and 1000-1234.
function rangeOf(low: bigint, high: bigint): string[] {
  const parts: string[] = [];
  for (let from = low; from <= high; ) {
    const digits = String(from).length;
    const last = 10n ** BigInt(digits) - 1n;
    const to = last < high ? last : high;
    parts.push(...sameLength(String(from), String(to)));
    from = to + 1n;
  }
  return parts;
}

// Two numbers of as many digits: the first digit is that of one, or of the other, or between them.
function sameLength(low: string, high: string): string[] {
  if (low === high) return [low];
  const [first, last] = [low.charAt(0), high.charAt(0)];
  const rest = low.length - 1;
  const any = rest === 0 ? "" : `[0-9]{${rest}}`;
  if (/^0*$/.test(low.slice(1)) && /^9*$/.test(high.slice(1))) return [`[${first}-${last}]${any}`];
  if (first === last) return [`${first}(?:${sameLength(low.slice(1), high.slice(1)).join("|")})`];
  const parts = [`${first}(?:${sameLength(low.slice(1), "9".repeat(rest)).join("|")})`];
  const [next, previous] = [Number(first) + 1, Number(last) - 1];
  if (next <= previous) parts.push(`[${next}-${previous}]${any}`);
  parts.push(`${last}(?:${sameLength("0".repeat(rest), high.slice(1)).join("|")})`);
  return parts;
}
