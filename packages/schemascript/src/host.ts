// What the driver asks of a host, and where it finds one. Requests are executed while the call
// lasts: none of these answers a promise.
import { databaseError, SchemaScriptError, type WireError } from "./errors.js";
import type { RowShape } from "./row-shape.js";

/** The host's end of the JSON form: takes a request and answers, at once. */
export type Transport = (payload: string) => string;

declare const statement: unique symbol;

/** SQL text and the shape of its rows, made for repeated use by one host. */
export interface HostStatement {
  readonly [statement]: never;
}

/**
 * What `db.run()` and a write without RETURNING answer.
 *
 * @example
 * ```ts
 * import { database, type RunResult } from "schemascript";
 *
 * const result: RunResult = await database().run("create table notes (id integer primary key)");
 * console.log(result.changes);
 * ```
 */
export interface RunResult {
  /** The rows of a RETURNING clause, each an array. */
  rows: unknown[];
  /** How many rows the statement inserted, updated or deleted. */
  changes: number;
  /** The rowid of the last row that the statement inserted; 0 when there was none. */
  lastInsertRowid: number | bigint;
}

/** How a step of a batch wants its rows: the place of its method in METHODS. */
export type HostMethod = 0 | 1 | 2 | 3;

export type HostStep = readonly [HostStatement, HostMethod, readonly unknown[]];

/** Rows of a cursor, and its number while there may be more; 0 at the end. */
export interface HostRows {
  readonly rows: readonly unknown[];
  readonly cursor: number;
}

/**
 * A host. A transaction is named by its handle; 0 is outside of any. Each throws a `DatabaseError`
 * for what the host refuses, and what a decoder throws.
 */
export interface Host {
  /** Rows become what the shape says, or what those of another statement become. */
  statement(sql: string, rows?: RowShape | HostStatement): HostStatement;
  run(statement: HostStatement, params: readonly unknown[], transaction: number): RunResult;
  /** Objects where the statement has a shape, else arrays. */
  all(statement: HostStatement, params: readonly unknown[], transaction: number): unknown[];
  /** Always arrays. */
  values(statement: HostStatement, params: readonly unknown[], transaction: number): unknown[][];
  /** An object or an array; undefined where there is no row. */
  get(statement: HostStatement, params: readonly unknown[], transaction: number): unknown;
  /** In one transaction: for each step what the method of its name would answer. */
  batch(steps: readonly HostStep[], transaction: number): unknown[];
  iterate(statement: HostStatement, params: readonly unknown[], transaction: number): HostRows;
  fetch(statement: HostStatement, cursor: number): HostRows;
  close(cursor: number): void;
  begin(behavior: string | undefined, parent: number): number;
  commit(transaction: number): void;
  rollback(transaction: number): void;
}

/** The global `__host_sqlite`: a host that decodes rows by their shape without JavaScript. */
interface NativeHost extends Host {
  setErrorFactory(make: (error: WireError) => Error): void;
}

// Both are taken when this module is loaded or, where the host sets them later, when they are first
// asked for: a program that puts something else in their place afterwards changes nothing.
let native = tryFindNative();
let transport = tryFindTransport();

/** The native host of this guest, where it has one. */
export function tryNativeHost(): Host | undefined {
  return (native ??= tryFindNative());
}

/** The host's end of this guest; throws where there is none. */
export function hostCall(): Transport {
  transport ??= tryFindTransport();
  if (!transport) {
    throw new SchemaScriptError(
      "unavailable",
      "there is no database here: run the program with `schemascript run`",
    );
  }
  return transport;
}

function tryFindNative(): Host | undefined {
  const found = Reflect.get(globalThis, "__host_sqlite") as NativeHost | undefined;
  if (typeof found !== "object") return undefined;
  found.setErrorFactory(databaseError);
  return found;
}

function tryFindTransport(): Transport | undefined {
  const found: unknown = Reflect.get(globalThis, "__host_sqlite_call");
  return typeof found === "function" ? (found as Transport) : undefined;
}
