// How a property's values are stored: JavaScript's on one side, SQLite's on the other. What SQLite
// itself checks (STRICT types, CHECK, NOT NULL) is left to it; here is refused what would arrive
// there already changed.
import { declareKind, Kind, type KindOfDecoder } from "./decoder.js";
import { SchemaScriptError } from "./errors.js";
import { hexText } from "./sql-text.js";

/** What a column is declared as; STRICT tables know no other names. */
export type StorageClass = "INTEGER" | "REAL" | "TEXT" | "BLOB" | "ANY";

/**
 * The types of the language. `bigint` is an integer with that mode, `numbered` an enum of names
 * with numbers.
 */
export type PropertyType =
  | "integer"
  | "bigint"
  | "real"
  | "text"
  | "blob"
  | "boolean"
  | "datetime"
  | "node"
  | "enum"
  | "numbered"
  | "custom";

/** A custom type's own name and conversions. */
export interface CustomShape {
  readonly name: string;
  /** What its values are stored as; an array of them is TEXT all the same. */
  readonly storage: StorageClass;
  readonly toDriver?: (value: never) => unknown;
  readonly fromDriver?: (stored: never) => unknown;
}

/** What is known about values: enough to convert one. */
export interface ValueShape {
  readonly type: PropertyType;
  /** The names of an `enum`, in their order. */
  readonly options?: readonly string[];
  /** The number of each name of a `numbered` enum. */
  readonly numbers?: Readonly<Record<string, number>>;
  readonly custom?: CustomShape;
  /** A list of such values, stored as JSON text. `type` is then what its elements are. */
  readonly array: boolean;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** What Drizzle calls for each value that is bound, and for each that is read. */
export interface Conversions {
  readonly mapToDriverValue: (value: unknown) => unknown;
  readonly mapFromDriverValue: (stored: unknown) => unknown;
}

/** The conversions of a column. `column` is named in errors: `users.age`. */
export function conversionsOf(shape: ValueShape, column: string): Conversions {
  const conversions: Conversions = shape.array
    ? {
        mapToDriverValue: (value) => listStored(shape, value, column),
        mapFromDriverValue: (stored) => listRead(shape, stored, column),
      }
    : {
        mapToDriverValue: (value) => oneStored(shape, value, column),
        mapFromDriverValue: (stored) => oneRead(shape, stored, column),
      };
  declareKind(conversions.mapFromDriverValue, kindOf(shape));
  return conversions;
}

/** The value as it is bound. */
export function toStored(shape: ValueShape, value: unknown, column: string): unknown {
  return conversionsOf(shape, column).mapToDriverValue(value);
}

// One value: of a column, or of a list.
function oneStored(shape: ValueShape, value: unknown, column: string): unknown {
  switch (shape.type) {
    case "integer":
      if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
        throw refused(
          column,
          'a number beyond 2^53 - 1 is rounded: declare it integer({ mode: "bigint" })',
        );
      }
      return numberStored(value, column);
    case "real":
      return numberStored(value, column);
    case "bigint":
      if (typeof value === "bigint" && (value < INT64_MIN || value > INT64_MAX)) {
        throw refused(column, "SQLite's integers have 64 bits");
      }
      return value;
    case "boolean":
      return value ? 1 : 0;
    case "datetime": {
      const time = value instanceof Date ? value.getTime() : NaN;
      if (Number.isNaN(time)) throw refused(column, "it takes a valid Date");
      return time;
    }
    case "blob":
      if (!(value instanceof Uint8Array)) throw refused(column, "it takes a Uint8Array");
      return value;
    case "node":
      return jsonStored(value, column);
    case "numbered": {
      const numbers = shape.numbers ?? {};
      if (typeof value !== "string" || !Object.hasOwn(numbers, value)) {
        throw refused(column, `it takes one of ${Object.keys(numbers).join(", ")}`);
      }
      return numbers[value];
    }
    case "custom":
      return customStored(shape.custom, value, column);
    default:
      return value;
  }
}

// The value that was stored. What the type cannot hold is refused, never rounded or guessed.
function oneRead(shape: ValueShape, stored: unknown, column: string): unknown {
  switch (shape.type) {
    case "integer":
      if (typeof stored === "bigint") {
        throw unreadable(
          column,
          'an integer beyond 2^53 - 1: declare it integer({ mode: "bigint" })',
        );
      }
      return isA("number", stored, column);
    case "bigint":
      // A number comes from a small integer, or from JSON in a relational query, where a large one
      // is rounded already.
      if (typeof stored === "number" && Number.isSafeInteger(stored)) return BigInt(stored);
      return isA("bigint", stored, column);
    case "boolean":
      return Number(stored) === 1;
    case "datetime":
      return new Date(isA<number>("number", stored, column));
    case "blob":
      if (!(stored instanceof Uint8Array)) throw unreadable(column, "something that is not a blob");
      // Node's drivers answer Buffers; the type says Uint8Array.
      return stored.constructor === Uint8Array
        ? stored
        : new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
    case "node":
      return jsonRead(stored, column);
    case "numbered": {
      for (const [name, number] of Object.entries(shape.numbers ?? {})) {
        if (number === stored) return name;
      }
      throw unreadable(column, "a number that is not among its options");
    }
    case "custom":
      return shape.custom?.fromDriver ? shape.custom.fromDriver(stored as never) : stored;
    case "real":
      return isA("number", stored, column);
    default:
      return isA("string", stored, column);
  }
}

// What of oneRead and listRead needs no JavaScript. It must not say more than they do.
function kindOf(shape: ValueShape): KindOfDecoder {
  if (shape.array) return { kind: Kind.call };
  switch (shape.type) {
    case "integer":
    case "real":
      return { kind: Kind.number };
    case "bigint":
      return { kind: Kind.bigint };
    case "boolean":
      return { kind: Kind.boolean };
    case "datetime":
      return { kind: Kind.milliseconds };
    case "blob":
      return { kind: Kind.blob };
    case "node":
      return { kind: Kind.json };
    case "numbered": {
      const numbers = Object.values(shape.numbers ?? {});
      const names = Object.keys(shape.numbers ?? {});
      return numbers.every(Number.isSafeInteger)
        ? { kind: Kind.named, numbers, names }
        : { kind: Kind.call };
    }
    case "custom":
      return { kind: shape.custom?.fromDriver ? Kind.call : Kind.asIs };
    default:
      return { kind: Kind.text };
  }
}

// An element is stored as it would be in a column of its own, in the form that JSON has for it: a
// bigint as its digits in text, for JSON's readers round numbers; bytes as hexadecimal text, which
// SQLite's unhex() reads; and a node as itself.
function listStored(shape: ValueShape, list: unknown, column: string): string {
  if (!Array.isArray(list)) throw refused(column, "it takes an array");
  return jsonStored(
    list.map((value: unknown) => {
      if (value === null || value === undefined) throw refused(column, "an array holds no null");
      switch (shape.type) {
        case "node":
          return value;
        case "boolean":
          return Boolean(value);
        default:
          return jsonOf(oneStored(shape, value, column), column);
      }
    }),
    column,
  );
}

function jsonOf(stored: unknown, column: string): unknown {
  if (typeof stored === "bigint") return String(stored);
  if (stored instanceof Uint8Array) return hexText(stored);
  if (typeof stored === "number" && !Number.isFinite(stored)) {
    throw refused(column, "JSON has no infinite numbers");
  }
  return stored;
}

function listRead(shape: ValueShape, stored: unknown, column: string): unknown {
  const list = jsonRead(stored, column);
  if (!Array.isArray(list)) throw unreadable(column, "JSON that is not an array");
  if (shape.type === "node") return list;
  const isBytes = shape.type === "blob" || shape.custom?.storage === "BLOB";
  return list.map((value: unknown) => {
    const plain = isBytes
      ? bytesOf(value, column)
      : shape.type === "bigint"
        ? bigintOf(value, column)
        : value;
    return oneRead(shape, plain, column);
  });
}

function bytesOf(text: unknown, column: string): Uint8Array {
  if (typeof text !== "string" || text.length % 2 !== 0 || /[^0-9a-fA-F]/.test(text)) {
    throw unreadable(column, "an element that is not hexadecimal");
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
}

function bigintOf(value: unknown, column: string): bigint {
  if (typeof value === "string" && /^-?\d+$/.test(value)) return BigInt(value);
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  throw unreadable(column, "an element that is not an integer");
}

function numberStored(value: unknown, column: string): unknown {
  if (Number.isNaN(value)) throw refused(column, "SQLite would store NaN as NULL");
  return value;
}

function jsonStored(value: unknown, column: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw refused(column, "its value cannot be written as JSON", cause);
  }
  if (text === undefined) throw refused(column, "its value cannot be written as JSON");
  return text;
}

function jsonRead(stored: unknown, column: string): unknown {
  try {
    return JSON.parse(isA<string>("string", stored, column));
  } catch (cause) {
    if (cause instanceof SchemaScriptError) throw cause;
    throw unreadable(column, "text that is not JSON", cause);
  }
}

function customStored(custom: CustomShape | undefined, value: unknown, column: string): unknown {
  if (custom?.toDriver) return custom.toDriver(value as never);
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    throw refused(
      column,
      `an object needs a form to be stored in: give "${custom?.name}" a toDriver`,
    );
  }
  return value;
}

// A column that reads another type than its own is one that SchemaScript did not declare, or text
// that is not UTF-8, which arrives as bytes.
function isA<Type>(type: "number" | "string" | "bigint", stored: unknown, column: string): Type {
  if (typeof stored !== type) {
    throw unreadable(
      column,
      type === "string" ? "something that is not UTF-8 text" : `something that is not a ${type}`,
    );
  }
  return stored as Type;
}

function refused(column: string, why: string, cause?: unknown): SchemaScriptError {
  return new SchemaScriptError(
    "invalid-request",
    `${column}: ${why}`,
    cause === undefined ? {} : { cause },
  );
}

function unreadable(column: string, what: string, cause?: unknown): SchemaScriptError {
  return new SchemaScriptError(
    "conflict",
    `${column} holds ${what}`,
    cause === undefined ? {} : { cause },
  );
}
