// The JSON form of the wire between guest and host (docs/protocol.md): a request to text, an answer
// from text.
import { databaseError, type WireError } from "./errors.js";

/** How the rows of a statement are wanted, in the order of their numbers on the wire. */
export const METHODS = ["run", "all", "values", "get"] as const;
export type StatementMethod = (typeof METHODS)[number];

/** Also: several statements, rows in pieces, a step of a transaction, the declared schema. */
export type Method =
  | StatementMethod
  | "batch"
  | "iterate"
  | "fetch"
  | "close"
  | "begin"
  | "commit"
  | "rollback"
  | "push";

/** A statement of a batch. */
export interface Step {
  readonly method: StatementMethod;
  readonly sql: string;
  readonly params: readonly unknown[];
}

export interface Request {
  readonly method: Method;
  readonly sql?: string;
  readonly params?: readonly unknown[];
  readonly steps?: readonly Step[];
  readonly transaction?: number | undefined;
  readonly cursor?: number;
  readonly behavior?: string | undefined;
}

/** What a statement answers. */
export interface Result {
  /** One array for each row; for `get` the row itself, or undefined where there is none. */
  readonly rows?: unknown;
  readonly changes?: number;
  readonly lastInsertRowid?: number | bigint;
}

export interface Answer extends Result {
  readonly transaction?: number;
  /** Left out when there are no more rows. */
  readonly cursor?: number;
  /** Of the statements of a batch. */
  readonly results?: readonly Result[];
}

/**
 * Throws `invalid-request` for a parameter that SQLite has no value for; names its place, not its
 * value.
 */
export function encodeRequest(request: Request): string {
  const { params, steps } = request;
  if (steps) {
    const encoded = steps.map((step, index) => withEncodedParams(step, { step: index + 1 }));
    return JSON.stringify({ ...request, steps: encoded });
  }
  return JSON.stringify(params ? withEncodedParams({ ...request, params }, {}) : request);
}

function withEncodedParams<Encoded extends { readonly params: readonly unknown[] }>(
  request: Encoded,
  where: { readonly step?: number },
): Encoded {
  const { params } = request;
  if (params.every(isPlain)) return request;
  return { ...request, params: params.map((value, index) => encodeValue(value, index, where)) };
}

/** Throws a `DatabaseError` for an answer that is one. */
export function decodeAnswer(text: string): Answer {
  const answer = JSON.parse(text) as Answer & { error?: WireError };
  if (answer.error) throw databaseError(answer.error);
  // A tag is a key that begins with `$`. Where none can be, which is nearly always, nothing needs
  // to be looked at.
  const hasTags = text.includes('"$');
  if (!answer.results) return decodeResult(answer, hasTags);
  return { ...answer, results: answer.results.map((result) => decodeResult(result, hasTags)) };
}

function decodeResult<Decoded extends Result>(result: Decoded, hasTags: boolean): Decoded {
  if (!hasTags) return result.rows === null ? { ...result, rows: undefined } : result;
  return {
    ...result,
    rows: decodeRows(result.rows),
    lastInsertRowid: decodeValue(result.lastInsertRowid) as number | bigint,
  };
}

// JSON says what is meant by itself. A number without a fraction binds as INTEGER within 2^53 and
// as REAL beyond it.
function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    default:
      return value === null;
  }
}

function encodeValue(value: unknown, index: number, where: { readonly step?: number }): unknown {
  if (isPlain(value)) return value;
  if (typeof value === "bigint") return { $int: String(value) };
  if (typeof value === "number") return { $real: Object.is(value, -0) ? "-0" : String(value) };
  if (value instanceof Uint8Array) return { $blob: base64(value) };
  const what = value instanceof Date ? "a Date (bind its getTime())" : describe(value);
  throw databaseError({
    code: "invalid-request",
    message: `parameter ${index + 1} is ${what}: SQLite has no value for it`,
    ...where,
  });
}

function describe(value: unknown): string {
  return value === undefined ? "undefined" : `of type ${typeof value}`;
}

function decodeRows(rows: unknown): unknown {
  if (!Array.isArray(rows)) return undefined;
  return rows.map((cell: unknown) =>
    Array.isArray(cell) ? cell.map(decodeValue) : decodeValue(cell),
  );
}

function decodeValue(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const tagged = value as { $int?: string; $real?: string; $blob?: string; $text?: string };
  if (tagged.$int !== undefined) return BigInt(tagged.$int);
  if (tagged.$real !== undefined) return Number(tagged.$real);
  // Text that is not UTF-8 arrives as its bytes: a string cannot hold it.
  return bytes(tagged.$blob ?? tagged.$text ?? "");
}

// Written out, because QuickJS has no base64 and this module must not need any global of a
// browser's.
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Uint8Array(128);
for (let value = 0; value < 64; value++) VALUES[DIGITS.charCodeAt(value)] = value;

function base64(data: Uint8Array): string {
  const chunks: string[] = [];
  // 3 KiB at a time: short strings are cheap to append to, and the list stays short.
  for (let start = 0; start < data.length; start += 3072) {
    const end = Math.min(start + 3072, data.length);
    let text = "";
    for (let at = start; at < end; at += 3) {
      const word = ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
      text += DIGITS.charAt(word >> 18) + DIGITS.charAt((word >> 12) & 63);
      text += at + 1 < end ? DIGITS.charAt((word >> 6) & 63) : "=";
      text += at + 2 < end ? DIGITS.charAt(word & 63) : "=";
    }
    chunks.push(text);
  }
  return chunks.join("");
}

function bytes(text: string): Uint8Array {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const data = new Uint8Array((text.length / 4) * 3 - padding);
  const digit = (at: number) => VALUES[text.charCodeAt(at)] ?? 0;
  for (let from = 0, to = 0; from < text.length; from += 4, to += 3) {
    const word =
      (digit(from) << 18) | (digit(from + 1) << 12) | (digit(from + 2) << 6) | digit(from + 3);
    data[to] = word >> 16;
    // Bytes behind the end, which stand for padding, fall off a typed array by themselves.
    data[to + 1] = word >> 8;
    data[to + 2] = word;
  }
  return data;
}
