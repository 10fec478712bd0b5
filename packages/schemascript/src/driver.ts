// The database of a program: Drizzle's, over the host. What queries do is in session.ts, in which
// order they are done in scope.ts.
import {
  DefaultLogger,
  entityKind,
  is,
  NoopLogger,
  Relations,
  Table as DrizzleTable,
  type Logger,
} from "drizzle-orm";
import { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import type { SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy";
import { useBuilders } from "./builders.js";
import { hostCall, tryNativeHost, type Host, type RunResult, type Transport } from "./host.js";
import { JsonHost } from "./json-host.js";
import { declareTable } from "./known-table.js";
import { relationalConfig, type Related } from "./relations.js";
import { Connection, Scope } from "./scope.js";
import {
  Dialect,
  Session,
  withOurs,
  type FullSchema,
  type InTransaction,
  type Iterate,
} from "./session.js";

/**
 * A typed Drizzle database. `batch` runs its queries in one transaction and in one request;
 * `iterate` reads a result of any size; transactions have both as well.
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
 * for await (const user of db.iterate(db.select().from(users))) console.log(user.name);
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
  declare readonly iterate: Iterate;
  declare readonly transaction: InTransaction<Schema>;
}

useBuilders(Database as never);

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
 * Queries through `db` are never part of a transaction, also while one is open: they see what is
 * committed; those that write, and further transactions, wait until it has ended. So inside of
 * `transaction()` use its `tx`.
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
export const database: DatabaseFactory = databaseOf(programHost);

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
  return databaseOf(() => new JsonHost(transport));
}

// The host's own decoding of rows where it has one.
function programHost(): Host {
  return tryNativeHost() ?? new JsonHost(hostCall());
}

function databaseOf(findHost: () => Host): DatabaseFactory {
  const scope = new Scope(new Connection(findHost));
  return (given: FullSchema | DatabaseOptions<FullSchema> = {}): Database<never> => {
    const { schema, logger } = isOptions(given) ? given : { schema: given, logger: false };
    return openDatabase(scope, schema ?? {}, tryLogger(logger)) as unknown as Database<never>;
  };
}

function openDatabase(
  scope: Scope,
  schema: FullSchema,
  logger: Logger | undefined,
): Database<FullSchema> {
  const dialect = new Dialect();
  const config = relationalConfig(schema);
  for (const each of Object.values(schema)) if (is(each, DrizzleTable)) declareTable(each);
  const session = new Session(scope, dialect, config, logger);
  const db = new Database<FullSchema>("async", dialect, session as never, config as never);
  return withOurs(db, session);
}

function tryLogger(logger: boolean | Logger | undefined): Logger | undefined {
  if (logger === true) return new DefaultLogger();
  return logger && !is(logger, NoopLogger) ? logger : undefined;
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
