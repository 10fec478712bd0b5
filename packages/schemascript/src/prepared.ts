// A query of Drizzle's that is ready to be executed: its SQL, how values become parameters, and how
// stored rows become what the query answers.
import { entityKind, type Logger, type Query } from "drizzle-orm";
import {
  SQLitePreparedQuery,
  type PreparedQueryConfig,
  type SelectedFieldsOrdered,
  type SQLiteExecuteMethod,
} from "drizzle-orm/sqlite-core";
import { SchemaScriptError } from "./errors.js";
import type { HostMethod, HostStep, RunResult } from "./host.js";
import { collectTables, takeTables } from "./known-table.js";
import { binder, bound, type Bind, type Values } from "./params.js";
import { METHODS, type StatementMethod } from "./protocol.js";
import { allConnections, queryName, reject, type Scope, type Work } from "./scope.js";
import type { CachedStatement } from "./statement-cache.js";

/**
 * A value that cannot be stored is found when Drizzle makes the SQL. Thrown there, the error would
 * carry Drizzle's lines instead of the user's; so it travels in a query's place, and rejects it
 * when it is executed.
 */
export class RefusedQuery {
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

type Config = Omit<PreparedQueryConfig, "type" | "run"> & { type: "async"; run: RunResult };

export const [RUN, ALL, VALUES, GET] = [0, 1, 2, 3] as const;

/** Drizzle's own mapping of all rows of a relational query. */
export type MapRows = (rows: unknown[][]) => unknown;

/** What a query's first execution finds out for all that follow. */
interface Made extends CachedStatement {
  readonly bind: Bind;
}

// What was prepared while an app is loaded for its snapshot.
let prepared: PreparedQuery[] | undefined;

/** Until {@link makePrepared}, queries that are prepared and tables are kept in mind. */
export function collectPrepared(): void {
  prepared = [];
  collectTables();
}

/**
 * Does what their first execution would do, once for all calls that start from the snapshot; and of
 * queries that are built anew, what is the same for all of a table.
 */
export function makePrepared(): void {
  const queries = prepared ?? [];
  prepared = undefined;
  for (const query of queries) query.make();
  const tables = takeTables();
  for (const connection of allConnections()) connection.expect(tables);
}

export class PreparedQuery extends SQLitePreparedQuery<Config> {
  static override readonly [entityKind]: string = "SchemaScriptPreparedQuery";
  readonly #scope: Scope;
  readonly #logger: Logger | undefined;
  readonly #fields: SelectedFieldsOrdered | undefined;
  readonly #method: HostMethod;
  readonly #mapRows: MapRows | undefined;
  #made: Made | undefined;
  /** Set by Drizzle after it was prepared: which joined tables are there in every row. */
  declare joinsNotNullableMap?: Record<string, boolean>;

  constructor(
    scope: Scope,
    logger: Logger | undefined,
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: StatementMethod,
    mapRows: MapRows | undefined,
  ) {
    super("async", method as SQLiteExecuteMethod, query);
    this.#scope = scope;
    this.#logger = logger;
    this.#fields = fields;
    this.#method = METHODS.indexOf(method) as HostMethod;
    this.#mapRows = mapRows;
    prepared?.push(this);
  }

  /** Never throws: what is wrong with the query is told when it is executed. */
  make(): void {
    try {
      this.#ready();
    } catch {
      // As above.
    }
  }

  run(values?: Values): Promise<RunResult> {
    return this.#execute(RUN, values) as Promise<RunResult>;
  }

  all(values?: Values): Promise<unknown> {
    return this.#execute(ALL, values);
  }

  get(values?: Values): Promise<unknown> {
    return this.#execute(GET, values);
  }

  values(values?: Values): Promise<unknown> {
    return this.#execute(VALUES, values);
  }

  /** As a step of a batch, and what the answer to that step becomes. */
  step(): { readonly step: HostStep; readonly map: (answer: unknown) => unknown } {
    const method = this.#method;
    const params = this.bind();
    const made = this.#ready();
    const map = (answer: unknown) => mapped(made, method, answer, this.#mapRows);
    return { step: [made.statement, method, params], map };
  }

  /** For rows in pieces: the statement, and what each of its rows becomes. */
  pieces(): CachedStatement {
    if (this.#mapRows) {
      throw new SchemaScriptError(
        "invalid-request",
        "iterate() reads row by row, and findMany() maps all rows together: iterate over a select()",
      );
    }
    return this.#ready();
  }

  /** The parameters; the query is about to be executed. */
  bind(values?: Values): readonly unknown[] {
    const params = this.#ready().bind(values);
    this.#logger?.logQuery(this.query.sql, params as unknown[]);
    return params;
  }

  /** What it is called where it waits. */
  nameIn(scope: Scope): string {
    return queryName(scope.name, this.query.sql);
  }

  // What a prepared query does each time: nothing is looked up here that the first time has found.
  #execute(method: HostMethod, values: Values | undefined): Promise<unknown> {
    let params: readonly unknown[];
    try {
      params = this.bind(values);
    } catch (error) {
      return reject(error);
    }
    const { sql } = this.query;
    return execute(this.#scope, this.#made as Made, method, params, sql, this.#mapRows);
  }

  #ready(): Made {
    return (this.#made ??= this.#make());
  }

  #make(): Made {
    const query: unknown = this.query;
    if (query instanceof RefusedQuery) throw query.error;
    const { sql, params } = this.query;
    const { statements } = this.#scope.connection;
    const { statement, mapRow } = statements.find(sql, this.#fields, this.joinsNotNullableMap);
    return { bind: binder(params), statement, mapRow };
  }
}

/**
 * Executes a select that was built for this one time: what `PreparedQuery` does the first time,
 * without what it would keep for the next.
 */
export function executeOnce(
  scope: Scope,
  logger: Logger | undefined,
  query: Query,
  fields: SelectedFieldsOrdered,
  joins: Readonly<Record<string, boolean>>,
  method: HostMethod,
  values: Values | undefined,
): Promise<unknown> {
  let sql: string;
  let params: readonly unknown[];
  let found: CachedStatement;
  try {
    sql = query.sql; // Throws where a value was refused.
    found = scope.connection.statements.find(sql, fields, joins);
    params = bound(query.params, values);
    logger?.logQuery(sql, params as unknown[]);
  } catch (error) {
    return reject(error);
  }
  return execute(scope, found, method, params, sql, undefined);
}

function execute(
  scope: Scope,
  found: CachedStatement,
  method: HostMethod,
  params: readonly unknown[],
  sql: string,
  mapRows: MapRows | undefined,
): Promise<unknown> {
  if (!scope.isFree) return scope.run(workOf(scope, found, method, params, sql, mapRows));
  try {
    return Promise.resolve(answer(scope, found, method, params, mapRows));
  } catch (error) {
    return scope.recover(error, workOf(scope, found, method, params, sql, mapRows));
  }
}

function workOf(
  scope: Scope,
  found: CachedStatement,
  method: HostMethod,
  params: readonly unknown[],
  sql: string,
  mapRows: MapRows | undefined,
): Work<unknown> {
  return {
    what: () => queryName(scope.name, sql),
    perform: () => answer(scope, found, method, params, mapRows),
  };
}

function answer(
  { connection: { host }, handle }: Scope,
  found: CachedStatement,
  method: HostMethod,
  params: readonly unknown[],
  mapRows: MapRows | undefined,
): unknown {
  const { statement } = found;
  switch (method) {
    case GET:
      return mapped(found, GET, host.get(statement, params, handle), mapRows);
    case ALL:
      return mapped(found, ALL, host.all(statement, params, handle), mapRows);
    case RUN:
      return host.run(statement, params, handle);
    case VALUES:
      return host.values(statement, params, handle);
  }
}

// What the host has not made an object of.
function mapped(
  { mapRow }: CachedStatement,
  method: HostMethod,
  given: unknown,
  mapRows: MapRows | undefined,
): unknown {
  if ((!mapRows && !mapRow) || given === undefined) return given;
  if (method === GET) return mapRows ? mapRows([given as unknown[]]) : mapRow?.(given as unknown[]);
  if (method !== ALL) return given;
  return mapRows ? mapRows(given as unknown[][]) : (given as unknown[][]).map(mapRow as never);
}
