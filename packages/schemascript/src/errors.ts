// The errors that this package throws. The bottom layer: everything imports it, it imports nothing.

/**
 * Who has to act. `invalid-schema` is the package's own: a definition that cannot be; the others
 * are the host's codes.
 *
 * @example
 * ```ts
 * import type { ErrorCode } from "schemascript";
 *
 * const retry = (code: ErrorCode) => code === "unavailable";
 * ```
 */
export type ErrorCode =
  | "invalid-schema"
  | "invalid-request"
  | "not-allowed"
  | "conflict"
  | "unavailable"
  | "limit-exceeded"
  | "guest-failed"
  | "internal";

/**
 * The rule of the database that a statement broke.
 *
 * @example
 * ```ts
 * import type { Violation } from "schemascript";
 *
 * const taken: Violation = "unique";
 * ```
 */
export type Violation = "unique" | "primary-key" | "not-null" | "foreign-key" | "check" | "type";

/**
 * What went wrong, with a `code` that says who has to act. The message never holds a bound value.
 *
 * @example
 * ```ts
 * import { Schema, SchemaScriptError } from "schemascript";
 *
 * try {
 *   Schema("", (prop) => ({ id: prop.integer().identifier() }));
 * } catch (error) {
 *   console.log(error instanceof SchemaScriptError && error.code); // "invalid-schema"
 * }
 * ```
 */
export class SchemaScriptError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/**
 * What the host tells about a failed statement, beside the code and the message.
 *
 * @example
 * ```ts
 * import type { DatabaseErrorDetail } from "schemascript";
 *
 * const detail: DatabaseErrorDetail = { violation: "unique", table: "users", columns: ["email"] };
 * ```
 */
export interface DatabaseErrorDetail {
  readonly violation?: Violation;
  readonly table?: string;
  readonly columns?: readonly string[];
  readonly constraint?: string;
  readonly sqliteCode?: string;
  readonly extendedCode?: number;
}

/**
 * A statement that the database refused. It names table, columns and constraint where SQLite tells.
 *
 * @example
 * ```ts
 * import { DatabaseError } from "schemascript";
 *
 * function isTaken(error: unknown): boolean {
 *   return error instanceof DatabaseError && error.violation === "unique";
 * }
 * ```
 */
export class DatabaseError extends SchemaScriptError implements DatabaseErrorDetail {
  declare readonly violation?: Violation;
  declare readonly table?: string;
  declare readonly columns?: readonly string[];
  declare readonly constraint?: string;
  declare readonly sqliteCode?: string;
  declare readonly extendedCode?: number;

  constructor(
    code: ErrorCode,
    message: string,
    detail: DatabaseErrorDetail,
    options?: { readonly cause?: unknown },
  ) {
    super(code, message, options);
    // Only what is known becomes a property, so that a printed error holds no list of `undefined`.
    const { violation, table, columns, constraint, sqliteCode, extendedCode } = detail;
    const known = { violation, table, columns, constraint, sqliteCode, extendedCode };
    for (const [key, fact] of Object.entries(known)) {
      if (fact !== undefined) Object.defineProperty(this, key, { value: fact, enumerable: true });
    }
  }
}

// On the prototypes, where Error has its own: an instance shows its code and its detail, and no
// name.
for (const [type, name] of [
  [SchemaScriptError, "SchemaScriptError"],
  [DatabaseError, "DatabaseError"],
] as const) {
  Object.defineProperty(type.prototype, "name", {
    value: name,
    writable: true,
    configurable: true,
  });
}

// QuickJS gives an error its stack when it is thrown; one that was only caught from a promise reads
// as having none.
Object.defineProperty(SchemaScriptError.prototype, "stack", {
  value: "",
  writable: true,
  configurable: true,
});

/** A wrong definition: thrown when it is made, with the sentence that its type would show. */
export function invalidSchema(message: string, cause?: unknown): SchemaScriptError {
  return new SchemaScriptError("invalid-schema", message, cause === undefined ? {} : { cause });
}
