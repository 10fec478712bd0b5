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
  /** Which statement of a `batch` failed, counted from 1. */
  readonly step?: number;
  /** The transaction of this program that has to end first; only where it was begun by hand. */
  readonly waitsFor?: number;
}

// In the order in which a printed error shows them.
const DETAIL = [
  ...(["violation", "table", "columns", "constraint"] as const),
  ...(["sqliteCode", "extendedCode", "step", "waitsFor"] as const),
];

/**
 * What the database refused. It names table, columns and constraint where SQLite tells. The rules
 * that a statement can break have classes of their own: `UniqueViolation`, `ForeignKeyViolation`,
 * `NotNullViolation` and `CheckViolation`; so have `NotAllowed`, `LimitExceeded` and `Busy`.
 *
 * @example
 * ```ts
 * import { DatabaseError } from "schemascript";
 *
 * function isOfUsers(error: unknown): boolean {
 *   return error instanceof DatabaseError && error.table === "users";
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
  declare readonly step?: number;
  declare readonly waitsFor?: number;

  constructor(
    code: ErrorCode,
    message: string,
    detail: DatabaseErrorDetail,
    options?: { readonly cause?: unknown },
  ) {
    super(code, message, options);
    // Only what is known becomes a property, so that a printed error holds no list of `undefined`.
    for (const key of DETAIL) {
      const fact = detail[key];
      if (fact !== undefined) Object.defineProperty(this, key, { value: fact, enumerable: true });
    }
  }
}

/**
 * A value that must be the only one of its kind is there already: a UNIQUE constraint, a unique
 * index or a primary key (`violation` says which).
 *
 * @example
 * ```ts
 * import { database, Table, UniqueViolation } from "schemascript";
 *
 * const users = Table("users", (prop) => ({
 *   id: prop.integer().identifier(),
 *   email: prop.text().unique(),
 * }));
 *
 * async function signUp(email: string): Promise<string> {
 *   try {
 *     await database().insert(users).values({ email });
 *     return "welcome";
 *   } catch (error) {
 *     if (error instanceof UniqueViolation) return `${error.columns?.join()} is taken`;
 *     throw error;
 *   }
 * }
 * ```
 */
export class UniqueViolation extends DatabaseError {
  declare readonly violation: "unique" | "primary-key";
}

/**
 * A row refers to one that is not there, or one that others refer to would go. A key that is
 * checked at the end of a transaction is thrown by its commit.
 *
 * @example
 * ```ts
 * import { ForeignKeyViolation } from "schemascript";
 *
 * const statusOf = (error: unknown) => (error instanceof ForeignKeyViolation ? 409 : 500);
 * ```
 */
export class ForeignKeyViolation extends DatabaseError {
  declare readonly violation: "foreign-key";
}

/**
 * A column that is not optional was given NULL, or nothing and has no default.
 *
 * @example
 * ```ts
 * import { NotNullViolation } from "schemascript";
 *
 * const missing = (error: unknown) => (error instanceof NotNullViolation ? error.columns : []);
 * ```
 */
export class NotNullViolation extends DatabaseError {
  declare readonly violation: "not-null";
}

/**
 * A CHECK does not hold; `constraint` is its name: `.min(0)` of `products.price` is
 * `products_price_min`.
 *
 * @example
 * ```ts
 * import { CheckViolation } from "schemascript";
 *
 * const isTooCheap = (error: unknown) =>
 *   error instanceof CheckViolation && error.constraint === "products_price_min";
 * ```
 */
export class CheckViolation extends DatabaseError {
  declare readonly violation: "check";
}

/**
 * The program may not do this here: write to a database that is opened for reading, read a column
 * that was not granted, or open a transaction by SQL.
 *
 * @example
 * ```ts
 * import { database, NotAllowed } from "schemascript";
 *
 * const mayWrite = await database()
 *   .run("create table notes (text)")
 *   .then(
 *     () => true,
 *     (error) => !(error instanceof NotAllowed),
 *   );
 * console.log(mayWrite); // true
 * ```
 */
export class NotAllowed extends DatabaseError {
  declare readonly code: "not-allowed";
}

/**
 * A limit of the host would be exceeded: the message names it. A result that is too large can be
 * read in pieces, with `db.iterate(query)`.
 *
 * @example
 * ```ts
 * import { LimitExceeded } from "schemascript";
 *
 * const isTooMuch = (error: unknown) => error instanceof LimitExceeded;
 * ```
 */
export class LimitExceeded extends DatabaseError {
  declare readonly code: "limit-exceeded";
}

/**
 * Somebody else is writing, and did for longer than the host waits; or what a deferred transaction
 * has read is no longer the latest, so that it cannot write. Doing all of it again helps.
 *
 * @example
 * ```ts
 * import { Busy, database } from "schemascript";
 *
 * async function patiently<Result>(work: () => Promise<Result>, attempts = 3): Promise<Result> {
 *   try {
 *     return await work();
 *   } catch (error) {
 *     if (!(error instanceof Busy) || attempts === 1) throw error;
 *     return patiently(work, attempts - 1);
 *   }
 * }
 * await patiently(() => database().run("create table notes (text)"));
 * ```
 */
export class Busy extends DatabaseError {
  declare readonly code: "unavailable";
}

/** The `error` of an answer, as the host writes it. */
export interface WireError extends DatabaseErrorDetail {
  readonly code: ErrorCode;
  readonly message: string;
}

const VIOLATIONS = new Map<Violation, typeof DatabaseError>([
  ["unique", UniqueViolation],
  ["primary-key", UniqueViolation],
  ["foreign-key", ForeignKeyViolation],
  ["not-null", NotNullViolation],
  ["check", CheckViolation],
]);

/** What is thrown for an answer that is an error. */
export function databaseError(error: WireError): DatabaseError {
  return new (classOf(error))(error.code, error.message, error);
}

function classOf({ code, violation, sqliteCode }: WireError): typeof DatabaseError {
  if (violation !== undefined) return VIOLATIONS.get(violation) ?? DatabaseError;
  if (code === "not-allowed") return NotAllowed;
  if (code === "limit-exceeded") return LimitExceeded;
  return code === "unavailable" && sqliteCode?.startsWith("SQLITE_BUSY") ? Busy : DatabaseError;
}

// On the prototypes, where Error has its own: an instance shows its code and its detail, and no
// name.
for (const [name, type] of Object.entries({
  ...{ SchemaScriptError, DatabaseError, NotAllowed, LimitExceeded, Busy },
  ...{ UniqueViolation, ForeignKeyViolation, NotNullViolation, CheckViolation },
})) {
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
