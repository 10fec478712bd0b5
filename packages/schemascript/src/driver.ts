// The Drizzle driver: a typed database over `__host_sqlite_call`. The only module that knows
// Drizzle's sessions.
//
// The host executes a request while the call lasts, so a query is done when it is issued. Nothing
// here is an `async` function: QuickJS gives an error its stack where it is first thrown, and what
// rejects a promise without being thrown is first thrown by the `await` in the user's code. So the
// stack of a failed query is the line that awaited it.
import {
  Column,
  DefaultLogger,
  entityKind,
  fillPlaceholders,
  is,
  NoopLogger,
  Relations,
  SQL,
  Subquery,
  Table as DrizzleTable,
  type Logger,
  type Query,
  type RelationalSchemaConfig,
  type TablesRelationalConfig,
} from "drizzle-orm";
// @ts-expect-error: exported, and left out of Drizzle's types.
import { mapResultRow } from "drizzle-orm";
import {
  BaseSQLiteDatabase,
  SQLiteAsyncDialect,
  SQLitePreparedQuery,
  SQLiteSession,
  SQLiteTransaction,
  type PreparedQueryConfig,
  type SelectedFieldsOrdered,
  type SQLiteExecuteMethod,
  type SQLiteTransactionConfig,
} from "drizzle-orm/sqlite-core";
import type { SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy";
import { SchemaScriptError } from "./errors.js";
import { relationalConfig, type Related } from "./relations.js";
import { decodeAnswer, encodeRequest, type Answer, type Method, type Request } from "./protocol.js";

/** The host's end: takes a request as JSON and answers as JSON, at once. */
export type Transport = (payload: string) => string;

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

// Taken when this module is loaded or, where the host sets it later, with the first query: a
// program that puts something else in its place afterwards changes nothing.
let host: Transport | undefined = tryFindHost();

// Every connection that was opened: the program's, and those of tests.
const roots: Scope[] = [];

type FullSchema = Record<string, unknown>;
type RelationalConfig = RelationalSchemaConfig<TablesRelationalConfig> | undefined;

/**
 * A typed Drizzle database. `batch` runs its queries in one transaction.
 *
 * @example
 * ```ts
 * import { database, type Database, Table, schemaStatements } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * const countUsers = (db: Database) => db.$count(users);
 *
 * const db = database();
 * for (const statement of schemaStatements()) await db.run(statement);
 * const insert = (name: string) => db.insert(users).values({ name });
 * await db.batch([insert("Ada"), insert("Grace")]);
 * console.log(await countUsers(db)); // 2
 * ```
 */
export class Database<Schema extends FullSchema = Record<string, never>> extends BaseSQLiteDatabase<
  "async",
  RunResult,
  Schema,
  Related<Schema>
> {
  static override readonly [entityKind]: string = "SchemaScriptDatabase";
  declare readonly batch: SqliteRemoteDatabase<Schema>["batch"];
}

/**
 * What `database` takes beside the tables.
 *
 * @example
 * ```ts
 * import { database, type DatabaseOptions } from "schemascript";
 *
 * const options: DatabaseOptions<{}> = { logger: { logQuery: (sql) => console.error(sql) } };
 * const db = database(options);
 * ```
 */
export interface DatabaseOptions<Schema extends FullSchema> {
  /** Tables and relations: what `db.query` knows. */
  readonly schema?: Schema;
  /** `true` prints each query with its parameters to standard output. */
  readonly logger?: boolean | Logger;
}

/**
 * The database that the host gave to this program, as a Drizzle database. With tables, `db.query`
 * knows them: `database({ users, posts })`, or `database({ schema: { users, posts }, logger: true
 * })`.
 *
 * All databases of a program share one connection. While a transaction is open, queries through
 * `db` and further transactions wait until it has ended; inside of `transaction()` use its `tx`.
 *
 * @example
 * ```ts
 * import { database, schemaStatements, Table } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * const db = database({ users });
 *
 * for (const statement of schemaStatements()) await db.run(statement);
 * await db.transaction(async (tx) => {
 *   await tx.insert(users).values({ name: "Ada" });
 * });
 * console.log(await db.query.users.findFirst()); // { id: 1, name: "Ada" }
 * ```
 */
export const database: DatabaseFactory = databaseOver((payload) => hostCall()(payload));

/**
 * What `database` is: tables, or options with tables, to a Drizzle database.
 *
 * @example
 * ```ts
 * import { database, type DatabaseFactory } from "schemascript";
 *
 * const ping = (open: DatabaseFactory) => open().run("select 1");
 * await ping(database);
 * ```
 */
export interface DatabaseFactory {
  (): Database;
  <Schema extends FullSchema>(options: DatabaseOptions<Schema>): Database<Schema>;
  <Schema extends FullSchema>(schema: Schema): Database<Schema>;
}

/** A `database` with a connection of its own, over another transport than the host's: for tests. */
export function databaseOver(transport: Transport): DatabaseFactory {
  let connection: Scope | undefined;
  return (given: FullSchema | DatabaseOptions<FullSchema> = {}): Database<never> => {
    if (!connection) roots.push((connection = new Scope(transport)));
    const { schema, logger } = isOptions(given) ? given : { schema: given, logger: false };
    return openDatabase(connection, schema ?? {}, loggerOf(logger)) as Database<never>;
  };
}

/**
 * For the host, when a program waits for what nothing can settle: why that may be, if it is about
 * transactions.
 */
export function pendingHint(): string | undefined {
  return roots.some((root) => root.isWaitedFor()) ? PENDING : undefined;
}

const PENDING =
  "a query through `db` waits for the transaction that is waiting for it: use `tx` inside of transaction()";

/** The host's end of this guest; throws where there is none. */
export function hostCall(): Transport {
  host ??= tryFindHost();
  if (!host) {
    throw new SchemaScriptError(
      "unavailable",
      "there is no database here: run the program with `schemascript run`",
    );
  }
  return host;
}

function tryFindHost(): Transport | undefined {
  const found: unknown = Reflect.get(globalThis, "__host_sqlite_call");
  return typeof found === "function" ? (found as Transport) : undefined;
}

/**
 * A connection, or a transaction on it, or a savepoint in that: where requests are made. While a
 * transaction inside of it is open, a scope takes no requests; what comes meanwhile waits in line.
 *
 *     free  --begin-->  busy  --the inner one ends, nobody in line-->  free
 *     free  --end-->  ended: everything is refused
 */
class Scope {
  readonly #transport: Transport;
  readonly #handle: number | undefined;
  readonly #line: (() => void)[] = [];
  #inner: Scope | undefined;
  #isEnded = false;

  constructor(transport: Transport, handle?: number) {
    this.#transport = transport;
    this.#handle = handle;
  }

  /** One request, now. Only from within `run`. */
  call(request: Request): Answer {
    const { method, sql, params, behavior } = request;
    return decodeAnswer(
      this.#transport(
        encodeRequest({ method, sql, params, transaction: this.#handle, behavior } as Request),
      ),
    );
  }

  /** Does the work at once, or when it is its turn. */
  run<Result>(work: () => Result): Promise<Awaited<Result>> {
    if (!this.#inner) return this.#attempt(work);
    return new Promise((resolve) => {
      this.#line.push(() => resolve(this.#attempt(work)));
    });
  }

  /** Runs `body` in a transaction; inside of one, in a savepoint. */
  transaction<Result>(body: (inner: Scope) => Result, behavior?: string): Promise<Awaited<Result>> {
    return this.run(() => {
      const inner = new Scope(
        this.#transport,
        this.call({ method: "begin", behavior }).transaction,
      );
      this.#inner = inner;
      // Why it is undone is what to tell, also where the rollback fails: a failed commit is one.
      const undo = (error: unknown): Promise<never> => {
        const fail = () => this.#fail(error);
        return inner.#end("rollback").then(fail, fail);
      };
      return attempt(() => body(inner)).then(
        (result) => inner.#end("commit").then(() => this.#leave(result), undo),
        undo,
      );
    });
  }

  isWaitedFor(): boolean {
    return this.#line.length > 0 || (this.#inner?.isWaitedFor() ?? false);
  }

  #attempt<Result>(work: () => Result): Promise<Awaited<Result>> {
    if (!this.#isEnded) return attempt(work);
    return reject(
      new SchemaScriptError(
        "conflict",
        "this transaction has ended: await every query inside of transaction()",
      ),
    );
  }

  // Takes its place in the line: a savepoint that nobody awaited ends before its transaction does.
  #end(method: "commit" | "rollback"): Promise<void> {
    return this.run(() => {
      this.call({ method });
      this.#isEnded = true;
    });
  }

  #leave<Result>(result: Result): Result {
    const inner = this.#inner;
    if (inner) inner.#isEnded = true; // Also where its rollback failed.
    this.#inner = undefined;
    while (!this.#inner) {
      const next = this.#line.shift();
      if (!next) break;
      next();
    }
    return result;
  }

  #fail(error: unknown): Promise<never> {
    this.#leave(undefined);
    return Promise.reject(error);
  }
}

// What throws becomes a rejected promise that is not yet thrown to anybody.
function attempt<Result>(work: () => Result): Promise<Awaited<Result>> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return reject(error);
  }
}

function reject(error: unknown): Promise<never> {
  // Ours get the stack of whoever awaits them. Others, such as a user's conversion's, keep theirs.
  if (error instanceof SchemaScriptError && rebuildsStacks()) {
    Reflect.deleteProperty(error, "stack");
  }
  return Promise.reject(error);
}

// Whether this engine gives an error without a stack a new one when it is thrown. QuickJS does; V8
// does not.
let rebuilds: boolean | undefined;

function rebuildsStacks(): boolean {
  if (rebuilds === undefined) {
    const probe = new Error();
    Reflect.deleteProperty(probe, "stack");
    try {
      throw probe;
    } catch {
      rebuilds = Object.hasOwn(probe, "stack");
    }
  }
  return rebuilds;
}

// A value that cannot be stored is found when Drizzle makes the SQL. Thrown there, the error would
// carry Drizzle's lines instead of the user's; so it travels in a query's place, and rejects it
// when it is executed.
class RefusedQuery {
  readonly error: SchemaScriptError;

  constructor(error: SchemaScriptError) {
    this.error = error;
    // For whoever wants to see the SQL: toSQL() copies the properties.
    for (const part of ["sql", "params"]) {
      Object.defineProperty(this, part, {
        enumerable: true,
        get: () => {
          throw error;
        },
      });
    }
  }
}

class Dialect extends SQLiteAsyncDialect {
  static override readonly [entityKind]: string = "SchemaScriptDialect";

  override sqlToQuery(
    ...query: Parameters<SQLiteAsyncDialect["sqlToQuery"]>
  ): ReturnType<SQLiteAsyncDialect["sqlToQuery"]> {
    try {
      return super.sqlToQuery(...query);
    } catch (error) {
      if (error instanceof SchemaScriptError) return new RefusedQuery(error) as never;
      throw error;
    }
  }
}

class Session<Full extends FullSchema, Config extends TablesRelationalConfig> extends SQLiteSession<
  "async",
  RunResult,
  Full,
  Config
> {
  static override readonly [entityKind]: string = "SchemaScriptSession";
  readonly #scope: Scope;
  readonly #dialect: Dialect;
  readonly #config: RelationalConfig;
  readonly #logger: Logger;

  constructor(scope: Scope, dialect: Dialect, config: RelationalConfig, logger: Logger) {
    super(dialect);
    this.#scope = scope;
    this.#dialect = dialect;
    this.#config = config;
    this.#logger = logger;
  }

  prepareQuery(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: SQLiteExecuteMethod,
    _isResponseInArrayMode: boolean,
    mapRows?: (rows: unknown[][]) => unknown,
  ): PreparedQuery {
    return new PreparedQuery(this.#scope, this.#logger, query, fields, method, mapRows);
  }

  override transaction<Result>(
    body: (tx: SQLiteTransaction<"async", RunResult, Full, Config>) => Promise<Result>,
    config?: SQLiteTransactionConfig,
  ): Promise<Result> {
    return this.#scope.transaction((inner) => {
      const session = new Session<Full, Config>(inner, this.#dialect, this.#config, this.#logger);
      return body(new Transaction("async", this.#dialect, session, this.#config as never));
    }, config?.behavior) as Promise<Result>;
  }

  batch(queries: readonly Batched[]): Promise<unknown[]> {
    return this.#scope.transaction((inner) =>
      queries.map((query) => {
        const prepared = query._prepare();
        if (prepared instanceof PreparedQuery) return prepared.executeIn(inner);
        // One of db.run(), db.all(), db.get(), db.values().
        const { sql, params, method } = prepared.getQuery();
        this.#logger.logQuery(sql, params);
        const answer = inner.call({ method, sql, params });
        return method === "run" ? runResult(answer) : answer.rows;
      }),
    );
  }

  override count(query: SQL): Promise<number> {
    return this.values<[number]>(query).then(([row]) => (row ? row[0] : 0));
  }
}

/** What Drizzle's query builders are in a batch. */
interface Batched {
  _prepare(): PreparedQuery | { getQuery(): { sql: string; params: unknown[]; method: Method } };
}

class Transaction<
  Full extends FullSchema,
  Config extends TablesRelationalConfig,
> extends SQLiteTransaction<"async", RunResult, Full, Config> {
  static override readonly [entityKind]: string = "SchemaScriptTransaction";
}

type Prepared = Omit<PreparedQueryConfig, "type" | "run"> & { type: "async"; run: RunResult };

class PreparedQuery extends SQLitePreparedQuery<Prepared> {
  static override readonly [entityKind]: string = "SchemaScriptPreparedQuery";
  readonly #scope: Scope;
  readonly #logger: Logger;
  readonly #fields: SelectedFieldsOrdered | undefined;
  readonly #method: SQLiteExecuteMethod;
  readonly #mapRows: ((rows: unknown[][]) => unknown) | undefined;
  #mapRow: ((row: unknown[]) => unknown) | undefined;
  /** Set by Drizzle after it was prepared: which joined tables may be missing. */
  declare joinsNotNullableMap?: Record<string, boolean>;

  constructor(
    scope: Scope,
    logger: Logger,
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: SQLiteExecuteMethod,
    mapRows: ((rows: unknown[][]) => unknown) | undefined,
  ) {
    super("async", method, query);
    this.#scope = scope;
    this.#logger = logger;
    this.#fields = fields;
    this.#method = method;
    this.#mapRows = mapRows;
  }

  run(values?: Record<string, unknown>): Promise<RunResult> {
    return this.#scope.run(() => runResult(this.#call(this.#scope, "run", values)));
  }

  all(values?: Record<string, unknown>): Promise<unknown> {
    return this.#scope.run(() =>
      this.#mapAll(this.#call(this.#scope, "all", values).rows as unknown[][]),
    );
  }

  get(values?: Record<string, unknown>): Promise<unknown> {
    return this.#scope.run(() =>
      this.#mapGet(this.#call(this.#scope, "get", values).rows as unknown[]),
    );
  }

  values(values?: Record<string, unknown>): Promise<unknown> {
    return this.#scope.run(() => this.#call(this.#scope, "values", values).rows);
  }

  /** At once and in another scope: a step of a batch. */
  executeIn(scope: Scope): unknown {
    const answer = this.#call(scope, this.#method);
    if (this.#method === "run") return runResult(answer);
    return this.#method === "all"
      ? this.#mapAll(answer.rows as unknown[][])
      : this.#mapGet(answer.rows as unknown[]);
  }

  #call(scope: Scope, method: Method, values: Record<string, unknown> = {}): Answer {
    const query: unknown = this.query;
    if (query instanceof RefusedQuery) throw query.error;
    const params = filled(this.query.params, values);
    this.#logger.logQuery(this.query.sql, params);
    return scope.call({ method, sql: this.query.sql, params });
  }

  #mapAll(rows: unknown[][]): unknown {
    if (this.#mapRows) return this.#mapRows(rows);
    return this.#fields ? rows.map((row) => this.#map(row)) : rows;
  }

  #mapGet(row: unknown[] | undefined): unknown {
    if (!row) return undefined;
    if (this.#mapRows) return this.#mapRows([row]);
    return this.#fields ? this.#map(row) : row;
  }

  #map(row: unknown[]): unknown {
    this.#mapRow ??= rowMapper(this.#fields ?? [], this.joinsNotNullableMap);
    return this.#mapRow(row);
  }
}

function runResult({ rows, changes, lastInsertRowid }: Answer): RunResult {
  return {
    rows: (rows as unknown[] | undefined) ?? [],
    changes: changes ?? 0,
    lastInsertRowid: lastInsertRowid ?? 0,
  };
}

function filled(params: unknown[], values: Record<string, unknown>): unknown[] {
  try {
    return fillPlaceholders(params, values);
  } catch (error) {
    // Drizzle's sentence names the placeholder that has no value.
    if (error instanceof SchemaScriptError || !(error instanceof Error)) throw error;
    throw new SchemaScriptError("invalid-request", error.message, { cause: error });
  }
}

interface Decoder {
  mapFromDriverValue(stored: unknown): unknown;
}

// Drizzle's mapper walks all fields for each row, which is most of the time of a large result.
// Where the result is a flat object, what it finds is the same for every row; where it is nested
// (joins), the rules are Drizzle's to apply.
function rowMapper(
  fields: SelectedFieldsOrdered,
  joins: Record<string, boolean> | undefined,
): (row: unknown[]) => unknown {
  if (!fields.every(({ path }) => path.length === 1))
    return (row) => mapResultRow(fields as never, row, joins);
  const columns = fields.map(({ path, field }) => [path[0] as string, decoderOf(field)] as const);
  return (row) => {
    const result: Record<string, unknown> = {};
    for (let index = 0; index < columns.length; index++) {
      const [key, decoder] = columns[index] as (typeof columns)[number];
      const stored = row[index];
      result[key] = stored === null ? null : decoder.mapFromDriverValue(stored);
    }
    return result;
  };
}

function decoderOf(field: SelectedFieldsOrdered[number]["field"]): Decoder {
  if (is(field, Column)) return field;
  const expression: unknown = is(field, SQL)
    ? field
    : is(field, Subquery)
      ? field._.sql
      : field.sql;
  return (expression as { decoder: Decoder }).decoder;
}

function openDatabase(scope: Scope, schema: FullSchema, logger: Logger): Database<FullSchema> {
  const dialect = new Dialect();
  const config = relationalConfig(schema);
  const session = new Session(scope, dialect, config, logger);
  const db = new Database<FullSchema>(
    "async",
    dialect,
    session as unknown as SQLiteSession<"async", RunResult, FullSchema, Related<FullSchema>>,
    config as never,
  );
  return Object.assign(db, {
    batch: (queries: readonly Batched[]) => session.batch(queries),
  }) as typeof db;
}

function loggerOf(logger: boolean | Logger | undefined): Logger {
  if (logger === true) return new DefaultLogger();
  return logger || new NoopLogger();
}

// Tables by name, or options: a table that is called "schema" is still a table.
function isOptions(
  given: FullSchema | DatabaseOptions<FullSchema>,
): given is DatabaseOptions<FullSchema> {
  const keys = Object.keys(given);
  return (
    keys.every((key) => key === "schema" || key === "logger") &&
    !Object.values(given).some((each) => is(each, DrizzleTable) || is(each, Relations))
  );
}
