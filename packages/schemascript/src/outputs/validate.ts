// The runtime validator: holds a value against the rules of a row. The module that `--emit js`
// writes (standalone.ts) does the same; a test compares the two.
import type { FieldRule, RowRule, ValueRule } from "./rules.js";

/**
 * Which rule a value broke: `required` (a key is missing), `null`, `type`, `enum`, `min`, `max`,
 * `minLength`, `maxLength`, `pattern`, `json` (a value that JSON cannot hold) or `unknown` (a key
 * that the table does not have).
 *
 * @example
 * ```ts
 * import type { IssueRule } from "schemascript";
 *
 * const isMissing = (rule: IssueRule) => rule === "required" || rule === "null";
 * ```
 */
export type IssueRule =
  | "required"
  | "null"
  | "type"
  | "enum"
  | "min"
  | "max"
  | "minLength"
  | "maxLength"
  | "pattern"
  | "json"
  | "unknown";

/**
 * What is wrong with a value, and where. It names the value's type and never the value.
 *
 * @example
 * ```ts
 * import { Schema, type Issue } from "schemascript";
 *
 * const Users = Schema("users", (prop) => ({ name: prop.text() }));
 * const [issue]: readonly Issue[] = Users.validate({ name: 5 }).issues ?? [];
 * console.log(issue); // { path: ["name"], rule: "type", received: "number", message: "..." }
 * ```
 */
export interface Issue {
  readonly path: readonly (string | number)[];
  readonly rule: IssueRule;
  readonly received: string;
  readonly message: string;
}

/**
 * A validated value, or what is wrong with it: the result of Standard Schema.
 *
 * @example
 * ```ts
 * import { Schema, type Validated } from "schemascript";
 *
 * const Users = Schema("users", (prop) => ({ name: prop.text() }));
 * const result: Validated<{ name: string }> = Users.validate({ name: "Ada" });
 * if (!result.issues) console.log(result.value.name);
 * ```
 */
export type Validated<Value> =
  | { readonly value: Value; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** Whether values are JavaScript's, or JSON's: a datetime is then ISO text, a bigint its digits, a blob base64. */
export type ValueForm = "value" | "json";

// Further ones tell nothing new; a list of a million wrong elements would be a million issues.
const ISSUES_MAX = 100;
// What json_valid() takes; also what ends a value that contains itself.
const JSON_DEPTH_MAX = 1000;

/** Holds an input against the rules of a row. The value is a new object, without what was undefined. */
export function checkRow(
  rule: RowRule,
  input: unknown,
  form: ValueForm = "value",
): Validated<never> {
  const check = new Check(form);
  const value = check.row(rule, input);
  return (check.issues.length === 0 ? { value } : { issues: check.issues }) as Validated<never>;
}

class Check {
  readonly issues: Issue[] = [];
  readonly #form: ValueForm;

  constructor(form: ValueForm) {
    this.#form = form;
  }

  row(rule: RowRule, input: unknown): unknown {
    if (typeof input !== "object" || input === null || Array.isArray(input)) {
      return this.#fail([], "type", "must be an object", input);
    }
    const given = input as Record<string, unknown>;
    const row: Record<string, unknown> = {};
    const known = new Set<string>();
    for (const field of rule.fields) {
      known.add(field.key);
      const value = Object.hasOwn(given, field.key) ? given[field.key] : undefined;
      const result = this.#field(field, value);
      if (result !== undefined) row[field.key] = result;
    }
    for (const key of Object.keys(given)) {
      if (known.has(key) || given[key] === undefined) continue;
      this.#fail([key], "unknown", "is not one of the keys", given[key]);
    }
    return row;
  }

  #field(field: FieldRule, value: unknown): unknown {
    const path = [field.key];
    if (value === undefined) {
      return field.optional ? undefined : this.#fail(path, "required", "is required", value);
    }
    if (value === null)
      return field.nullable ? null : this.#fail(path, "null", "must not be null", value);
    if (!field.array) return this.#value(field, value, path);
    if (!Array.isArray(value)) return this.#fail(path, "type", "must be an array", value);
    this.#count(field, value.length, "element", value, path);
    // The lengths were the array's.
    const { minLength: _least, maxLength: _most, ...element } = field;
    return Array.from(value, (each: unknown, index) =>
      this.#element(element, each, [...path, index]),
    );
  }

  #element(rule: ValueRule, value: unknown, path: readonly (string | number)[]): unknown {
    if (value === null || value === undefined)
      return this.#fail(path, "null", "must not be null", value);
    if (value === Infinity || value === -Infinity) {
      return this.#fail(path, "type", "must be finite: arrays are stored as JSON", value);
    }
    return this.#value(rule, value, path);
  }

  #value(rule: ValueRule, value: unknown, path: readonly (string | number)[]): unknown {
    const wrong = (expected: string) => this.#fail(path, "type", `must be ${expected}`, value);
    const isJson = this.#form === "json";
    switch (rule.type) {
      case "integer":
        if (!Number.isSafeInteger(value)) return wrong("a whole number within 2^53 - 1");
        return this.#bounds(rule, value as number, value, path);
      case "real":
        if (
          typeof value !== "number" ||
          Number.isNaN(value) ||
          (isJson && !Number.isFinite(value))
        ) {
          return wrong(isJson ? "a finite number" : "a number, and not NaN");
        }
        return this.#bounds(rule, value, value, path);
      case "bigint": {
        const big =
          isJson && typeof value === "string" && DIGITS.test(value) ? BigInt(value) : value;
        if (
          (isJson && big === value) ||
          typeof big !== "bigint" ||
          BigInt.asIntN(64, big) !== big
        ) {
          return wrong(isJson ? "the digits of an integer of 64 bits" : "a bigint of 64 bits");
        }
        return this.#bounds(rule, big, value, path);
      }
      case "boolean":
        return typeof value === "boolean" ? value : wrong("true or false");
      case "datetime": {
        const date = isJson ? dateOf(value) : value;
        if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
          return wrong(isJson ? "a date and time as in RFC 3339" : "a valid Date");
        }
        this.#bounds(rule, date.getTime(), value, path);
        return date;
      }
      case "blob": {
        const bytes = isJson ? bytesOf(value) : value;
        if (!(bytes instanceof Uint8Array))
          return wrong(isJson ? "bytes as base64" : "a Uint8Array");
        this.#count(rule, bytes.length, "byte", value, path);
        return bytes;
      }
      case "text":
        if (typeof value !== "string") return wrong("a string");
        // SQLite's functions stop reading a text at a NUL.
        if (isBounded(rule) && value.includes("\0")) return wrong("a string without NUL");
        this.#count(rule, characters(value, rule), "character", value, path);
        if (rule.pattern && !new RegExp(rule.pattern.source, rule.pattern.flags).test(value)) {
          return this.#fail(
            path,
            "pattern",
            `must match /${rule.pattern.source}/${rule.pattern.flags}`,
            value,
          );
        }
        return value;
      case "enum":
        if (typeof value === "string" && rule.options?.includes(value)) return value;
        return this.#fail(path, "enum", `must be one of ${rule.options?.join(", ")}`, value);
      case "node":
        return this.#json(value, path);
      case "stored":
        if (!isStored(rule, value, this.#form)) return wrong(`what ${rule.storage} holds`);
        return isJson && rule.storage === "BLOB" ? bytesOf(value) : value;
      default:
        return value;
    }
  }

  #bounds(
    rule: ValueRule,
    number: number | bigint,
    value: unknown,
    path: readonly (string | number)[],
  ): unknown {
    const { min, max } = rule;
    const bound = (text: number | string) =>
      typeof number === "bigint" ? BigInt(text) : Number(text);
    const name = (text: number | string) =>
      rule.type === "datetime" ? new Date(text).toISOString() : String(text);
    if (min !== undefined && number < bound(min)) {
      this.#fail(path, "min", `must be at least ${name(min)}`, value);
    }
    if (max !== undefined && number > bound(max)) {
      this.#fail(path, "max", `must be at most ${name(max)}`, value);
    }
    return number;
  }

  #count(
    rule: ValueRule,
    count: number,
    unit: string,
    value: unknown,
    path: readonly (string | number)[],
  ): void {
    const { minLength, maxLength } = rule;
    if (minLength !== undefined && count < minLength) {
      this.#fail(path, "minLength", `must have at least ${counted(minLength, unit)}`, value);
    }
    if (maxLength !== undefined && count > maxLength) {
      this.#fail(path, "maxLength", `must have at most ${counted(maxLength, unit)}`, value);
    }
  }

  #json(value: unknown, path: readonly (string | number)[]): unknown {
    if (this.#form === "value") this.#walk(value, path, 1);
    return value;
  }

  #walk(value: unknown, path: readonly (string | number)[], depth: number): void {
    if (this.issues.length >= ISSUES_MAX) return;
    if (value === null || typeof value === "string" || typeof value === "boolean") return;
    if (typeof value === "number" && Number.isFinite(value)) return;
    const isPlain =
      Array.isArray(value) || Object.prototype.toString.call(value) === "[object Object]";
    if (!isPlain || typeof (value as { toJSON?: unknown }).toJSON === "function") {
      this.#fail(path, "json", "must be JSON", value);
    } else if (depth > JSON_DEPTH_MAX) {
      // The path as far as the key: the rest of it is a thousand steps long.
      this.#fail(path.slice(0, 1), "json", `must not be deeper than ${JSON_DEPTH_MAX}`, value);
    } else if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        this.#walk(value[index], [...path, index], depth + 1);
      }
    } else {
      for (const [key, each] of Object.entries(value as object)) {
        if (each !== undefined) this.#walk(each, [...path, key], depth + 1);
      }
    }
  }

  #fail(
    path: readonly (string | number)[],
    rule: IssueRule,
    text: string,
    value: unknown,
  ): undefined {
    if (this.issues.length >= ISSUES_MAX) return undefined;
    const received = typeName(value);
    const given = value === undefined ? "nothing was given" : `given: ${received}`;
    const where = path.length === 0 ? "the row" : path.join(".");
    this.issues.push({ path, rule, received, message: `${where} ${text} (${given})` });
    return undefined;
  }
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (value instanceof Date) return "Date";
  if (value instanceof Uint8Array) return "Uint8Array";
  return typeof value;
}

// As SQLite's length(): code points. Counted only where somebody asks.
function characters(text: string, rule: ValueRule): number {
  if (rule.minLength === undefined && rule.maxLength === undefined) return 0;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function isBounded({ minLength, maxLength, pattern }: ValueRule): boolean {
  return minLength !== undefined || maxLength !== undefined || pattern !== undefined;
}

function isStored({ storage }: ValueRule, value: unknown, form: ValueForm): boolean {
  const isNumber =
    typeof value === "number" && (form === "json" ? Number.isFinite(value) : !Number.isNaN(value));
  const isBig = typeof value === "bigint" && BigInt.asIntN(64, value) === value;
  const isBytes = value instanceof Uint8Array;
  switch (storage) {
    case "INTEGER":
      return Number.isSafeInteger(value) || isBig;
    case "REAL":
      return isNumber;
    case "TEXT":
      return typeof value === "string";
    case "BLOB":
      return form === "json" ? bytesOf(value) !== undefined : isBytes;
    default:
      return typeof value === "string" || isNumber || isBig || isBytes;
  }
}

const DIGITS = /^(?:0|-?[1-9][0-9]{0,18})$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/i;

// Date.parse() takes the 30th of February in some engines.
function dateOf(value: unknown): Date | undefined {
  const found = typeof value === "string" ? DATE_TIME.exec(value) : null;
  if (!found) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const milliseconds = Math.floor(Number(`0.${found[7] ?? 0}`) * 1000 + 1e-6);
  const [hours, minutes] = [Number(found[9] ?? 0), Number(found[10] ?? 0)];
  const offset = (hours * 60 + minutes) * (found[8] === "-" ? -1 : 1);
  if (hour > 23 || minute > 59 || second > 59 || hours > 23 || minutes > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute - offset, second, milliseconds);
  return date;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== "string" || !BASE64.test(value)) return undefined;
  const digits = value.replace(/=+$/, "");
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let buffer = 0;
  let at = 0;
  for (let index = 0; index < digits.length; index++) {
    buffer = ((buffer << 6) | ALPHABET.indexOf(digits.charAt(index))) & 0xffffff;
    const bits = (index % 4) * 6 + 6;
    if (bits > 6) bytes[at++] = (buffer >> (bits === 12 ? 4 : bits === 18 ? 2 : 0)) & 255;
  }
  return bytes;
}
