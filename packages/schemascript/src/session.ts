// Drizzle's session over a scope: how its query builders reach the host. With the database classes
// in driver.ts, which are made of it, the only modules that know Drizzle's sessions.
import {
  entityKind,
  is,
  SQL,
  sql,
  type Logger,
  type Query,
  type RelationalSchemaConfig,
  type TablesRelationalConfig,
} from "drizzle-orm";
import {
  SQLiteAsyncDialect,
  SQLiteSession,
  SQLiteTransaction,
  type SelectedFieldsOrdered,
  type SQLiteTransactionConfig,
} from "drizzle-orm/sqlite-core";
import type { SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy";
import { useBuilders } from "./builders.js";
import { PiecewiseRows } from "./cursor.js";
import { SchemaScriptError } from "./errors.js";
import type { HostMethod, RunResult } from "./host.js";
import type { Values } from "./params.js";
import { executeOnce, PreparedQuery, RefusedQuery, type MapRows } from "./prepared.js";
import type { StatementMethod } from "./protocol.js";
import type { WriteQuery } from "./query-writer.js";
import type { Related } from "./relations.js";
import { attempt, type Scope } from "./scope.js";
import { SqlWriter } from "./sql-writer.js";

export type FullSchema = Record<string, unknown>;
export type RelationalConfig = RelationalSchemaConfig<TablesRelationalConfig> | undefined;

/**
 * A query whose rows `iterate` can read one by one: a select, or set operations of them.
 *
 * @example
 * ```ts
 * import type { Database, RowQuery } from "schemascript";
 *
 * async function count<Row>(db: Database, query: RowQuery<Row>): Promise<number> {
 *   let rows = 0;
 *   for await (const _row of db.iterate(query)) rows++;
 *   return rows;
 * }
 * ```
 */
export interface RowQuery<Row> {
  /** Exists for the type checker only. */
  readonly _: { readonly result: readonly Row[]; readonly selectedFields: unknown };
}

/**
 * The same, prepared: it takes values for its placeholders.
 *
 * @example
 * ```ts
 * import type { Database, PreparedRowQuery } from "schemascript";
 *
 * const since = <Row>(db: Database, query: PreparedRowQuery<Row>, time: Date) =>
 *   db.iterate(query, { time: time.getTime() });
 * ```
 */
export interface PreparedRowQuery<Row> {
  all(values?: Record<string, unknown>): Promise<readonly Row[]>;
  mapAllResult(result: unknown): unknown;
}

/**
 * What `iterate` of a database and of a transaction takes and answers: the rows of a query that
 * only reads, in pieces, so that the result may be larger than memory. A loop that ends early
 * closes the query, and each loop runs it anew. Outside of a transaction, a loop sees the database
 * as it was when it began. Rows of SQL text are arrays.
 *
 * @example
 * ```ts
 * import { sql } from "drizzle-orm";
 * import { database, schemaStatements, Table } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * const db = database({ users });
 * for (const statement of schemaStatements()) await db.run(statement);
 *
 * for await (const user of db.iterate(db.select().from(users))) {
 *   console.log(user.name);
 *   if (user.id > 1000) break;
 * }
 * for await (const [name] of db.iterate<[string]>(sql`select name from users`)) console.log(name);
 * ```
 */
export interface Iterate {
  <Row>(query: RowQuery<Row>): AsyncIterable<Row>;
  <Row>(query: PreparedRowQuery<Row>, values?: Record<string, unknown>): AsyncIterable<Row>;
  <Row extends unknown[] = unknown[]>(query: SQL | string): AsyncIterable<Row>;
}

export class Dialect extends SQLiteAsyncDialect {
  static override readonly [entityKind]: string = "SchemaScriptDialect";

  /** With a source, the SQL is not of a query. */
  override sqlToQuery(query: SQL, source?: "indexes"): Query {
    if (source !== undefined) return super.sqlToQuery(query, source);
    return this.written((writer) => writer.write(query));
  }

  /** What was written; a value that cannot be stored is told when the query is executed. */
  written(write: WriteQuery): Query {
    const writer = new SqlWriter(this);
    try {
      write(writer);
    } catch (error) {
      if (error instanceof SchemaScriptError) return new RefusedQuery(error) as never;
      throw error;
    }
    return writer;
  }
}

type Config = TablesRelationalConfig;

/** What Drizzle's query builders are in a batch. */
interface Batched {
  _prepare(): PreparedQuery | { getQuery(): Query & { method: StatementMethod } };
}

/** What `iterate` was given. */
type Iterated = PreparedQuery | SQL | string | { _prepare(): unknown };

export class Session extends SQLiteSession<"async", RunResult, FullSchema, Config> {
  static override readonly [entityKind]: string = "SchemaScriptSession";
  readonly #scope: Scope;
  readonly #dialect: Dialect;
  readonly #config: RelationalConfig;
  readonly #logger: Logger | undefined;

  constructor(
    scope: Scope,
    dialect: Dialect,
    config: RelationalConfig,
    logger: Logger | undefined,
  ) {
    super(dialect);
    this.#scope = scope;
    this.#dialect = dialect;
    this.#config = config;
    this.#logger = logger;
  }

  prepareQuery(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: StatementMethod,
    _isResponseInArrayMode: boolean,
    mapRows?: MapRows,
  ): PreparedQuery {
    return new PreparedQuery(this.#scope, this.#logger, query, fields, method, mapRows);
  }

  /** Executes a select that is not kept. */
  once(
    query: Query,
    fields: SelectedFieldsOrdered,
    joins: Readonly<Record<string, boolean>>,
    method: HostMethod,
    values?: Values,
  ): Promise<unknown> {
    return executeOnce(this.#scope, this.#logger, query, fields, joins, method, values);
  }

  override transaction<Result>(
    body: (tx: Transaction<FullSchema>) => Promise<Result>,
    config?: SQLiteTransactionConfig,
  ): Promise<Result> {
    return this.#scope.transaction((inner) => {
      const session = new Session(inner, this.#dialect, this.#config, this.#logger);
      return body(transactionOver(session, this.#dialect, this.#config));
    }, config?.behavior) as Promise<Result>;
  }

  /** All or nothing, in one request. */
  batch(queries: readonly Batched[]): Promise<unknown[]> {
    const scope = this.#scope;
    return attempt(() => {
      if (queries.length === 0) return [];
      const prepared = queries.map((query) => this.#batched(query));
      const steps = prepared.map((each) => each.step());
      return scope.run({
        what: () => `a batch of ${scope.name}`,
        perform: () => {
          const { host } = scope.connection;
          const answers = host.batch(
            steps.map(({ step }) => step),
            scope.handle,
          );
          return steps.map(({ map }, index) => map(answers[index]));
        },
      });
    });
  }

  iterate(query: Iterated, values?: Values): AsyncIterable<unknown> {
    return new PiecewiseRows(this.#scope, this.#iterated(query), values);
  }

  override count(query: SQL): Promise<number> {
    return this.values<[number]>(query).then(([row]) => (row ? row[0] : 0));
  }

  #batched(query: Batched): PreparedQuery {
    if (typeof query?._prepare !== "function") {
      throw new SchemaScriptError(
        "invalid-request",
        "batch() takes queries that are not yet awaited: db.select(), db.insert(), db.run() and others",
      );
    }
    const prepared = query._prepare();
    if (prepared instanceof PreparedQuery) return prepared;
    // One of db.run(), db.all(), db.get(), db.values().
    const { sql, params, method } = prepared.getQuery();
    return this.prepareQuery({ sql, params }, undefined, method, false);
  }

  #iterated(query: Iterated): PreparedQuery {
    if (query instanceof PreparedQuery) return query;
    if (typeof query === "string") return this.#iterated(sql.raw(query));
    if (is(query, SQL)) {
      return this.prepareQuery(this.#dialect.sqlToQuery(query), undefined, "values", false);
    }
    const prepared = query?._prepare?.();
    if (prepared instanceof PreparedQuery) return prepared;
    throw new SchemaScriptError(
      "invalid-request",
      "iterate() takes a select that is not yet awaited, a prepared query, or SQL text",
    );
  }
}

/**
 * What `transaction()` gives to its function: a database inside of the transaction. Its own
 * `transaction()` is a savepoint.
 *
 * @example
 * ```ts
 * import { Table, type Database, type Transaction } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * const addUser = (tx: Transaction, name: string) => tx.insert(users).values({ name });
 * const addBoth = (db: Database) =>
 *   db.transaction(async (tx) => {
 *     await addUser(tx, "Ada");
 *     await addUser(tx, "Grace");
 *   });
 * ```
 */
export class Transaction<
  Schema extends FullSchema = Record<string, never>,
> extends SQLiteTransaction<"async", RunResult, Schema, Related<Schema>> {
  static override readonly [entityKind]: string = "SchemaScriptTransaction";
  declare readonly batch: SqliteRemoteDatabase<Schema>["batch"];
  declare readonly iterate: Iterate;
  declare readonly transaction: InTransaction<Schema>;
}

/**
 * What `transaction` of a database and of a transaction is: it runs a function in a transaction,
 * and answers what the function answers. What the function throws rolls all of it back.
 *
 * `behavior` is "immediate" (the default: it has the right to write from the beginning), "deferred"
 * (it begins at once, also while another one writes, and waits when it first writes itself) or
 * "exclusive".
 *
 * @example
 * ```ts
 * import { database, type InTransaction } from "schemascript";
 *
 * const transaction: InTransaction<{}> = database({}).transaction;
 * ```
 */
export type InTransaction<Schema extends FullSchema> = <Result>(
  body: (tx: Transaction<Schema>) => Promise<Result>,
  config?: SQLiteTransactionConfig,
) => Promise<Result>;

function transactionOver(
  session: Session,
  dialect: Dialect,
  config: RelationalConfig,
): Transaction<FullSchema> {
  const tx = new Transaction<FullSchema>("async", dialect, session as never, config as never);
  return withOurs(tx, session);
}

useBuilders(Transaction as never);

/** Adds what Drizzle's databases have not. */
export function withOurs<Target extends object>(db: Target, session: Session): Target {
  return Object.assign(db, {
    batch: (queries: readonly Batched[]) => session.batch(queries),
    iterate: (query: Iterated, values?: Values) => session.iterate(query, values),
  });
}
