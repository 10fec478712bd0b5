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
import type { Host, HostMethod, HostStep, RunResult } from "./host.js";
import { binder, type Bind, type Values } from "./params.js";
import { METHODS, type StatementMethod } from "./protocol.js";
import { queryName, reject, type Scope, type Work } from "./scope.js";
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

const [RUN, ALL, VALUES, GET] = [0, 1, 2, 3] as const;

/** Drizzle's own mapping of all rows of a relational query. */
export type MapRows = (rows: unknown[][]) => unknown;

/** What a query's first execution finds out for all that follow. */
interface Made extends CachedStatement {
  readonly host: Host;
  readonly bind: Bind;
}

// What was prepared while an app is loaded for its snapshot.
let prepared: PreparedQuery[] | undefined;

/** Until {@link makePrepared}, queries that are prepared are kept in mind. */
export function collectPrepared(): void {
  prepared = [];
}

/** Does what their first execution would do, once for all calls that start from the snapshot. */
export function makePrepared(): void {
  const queries = prepared ?? [];
  prepared = undefined;
  for (const query of queries) query.make();
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
    const { statement } = this.#ready();
    return { step: [statement, method, params], map: (answer) => this.#map(method, answer) };
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
    const scope = this.#scope;
    let params: readonly unknown[];
    try {
      params = this.bind(values);
    } catch (error) {
      return reject(error);
    }
    if (!scope.isFree) return scope.run(this.#work(method, params));
    try {
      return Promise.resolve(this.#answer(method, params));
    } catch (error) {
      return scope.recover(error, this.#work(method, params));
    }
  }

  #work(method: HostMethod, params: readonly unknown[]): Work<unknown> {
    return {
      what: () => this.nameIn(this.#scope),
      perform: () => this.#answer(method, params),
    };
  }

  #answer(method: HostMethod, params: readonly unknown[]): unknown {
    const { host, statement } = this.#made as Made;
    const { handle } = this.#scope;
    switch (method) {
      case GET:
        return this.#map(GET, host.get(statement, params, handle));
      case ALL:
        return this.#map(ALL, host.all(statement, params, handle));
      case RUN:
        return host.run(statement, params, handle);
      case VALUES:
        return host.values(statement, params, handle);
    }
  }

  // What the host has not made an object of.
  #map(method: HostMethod, answer: unknown): unknown {
    const mapRows = this.#mapRows;
    const mapRow = this.#made?.mapRow;
    if ((!mapRows && !mapRow) || answer === undefined) return answer;
    if (method === GET)
      return mapRows ? mapRows([answer as unknown[]]) : mapRow?.(answer as unknown[]);
    if (method !== ALL) return answer;
    return mapRows ? mapRows(answer as unknown[][]) : (answer as unknown[][]).map(mapRow as never);
  }

  #ready(): Made {
    return (this.#made ??= this.#make());
  }

  #make(): Made {
    const query: unknown = this.query;
    if (query instanceof RefusedQuery) throw query.error;
    const { sql, params } = this.query;
    const { connection } = this.#scope;
    const { statement, mapRow } = connection.statements.find(
      sql,
      this.#fields,
      this.joinsNotNullableMap,
    );
    return { host: connection.host, bind: binder(params), statement, mapRow };
  }
}
