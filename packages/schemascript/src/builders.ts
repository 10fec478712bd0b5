// Drizzle's query builders, which write their SQL in one walk when they are executed
// (query-writer.ts). All else about them is Drizzle's: what they gather, and the SQL object that
// getSQL() answers where a query is a part of another one.
import { entityKind, type Query } from "drizzle-orm";
import {
  extractUsedTable,
  SQLiteDeleteBase,
  SQLiteInsertBase,
  SQLiteInsertBuilder,
  SQLiteSelectBase,
  SQLiteSelectBuilder,
  sqliteTable,
  SQLiteUpdateBase,
  SQLiteUpdateBuilder,
  type BaseSQLiteDatabase,
  type SelectedFieldsOrdered,
  type SQLiteDialect,
} from "drizzle-orm/sqlite-core";
import type { HostMethod } from "./host.js";
import { knownTable, tryKnownTable, type KnownTable } from "./known-table.js";
import type { Values } from "./params.js";
import { ALL, GET, RUN, VALUES, type PreparedQuery } from "./prepared.js";
import type { StatementMethod } from "./protocol.js";
import {
  deleteQuery,
  insertQuery,
  orderedFields,
  selectQuery,
  updateQuery,
  type ChangeConfig,
  type SelectConfig,
  type WriteQuery,
} from "./query-writer.js";
import { reject } from "./scope.js";

/** The dialect and the session that the builders are made with. */
interface OurDialect extends SQLiteDialect {
  written(write: WriteQuery): Query;
}

interface OurSession {
  prepareQuery(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: StatementMethod,
    isResponseInArrayMode: boolean,
  ): PreparedQuery;
  once(
    query: Query,
    fields: SelectedFieldsOrdered,
    joins: Readonly<Record<string, boolean>>,
    method: HostMethod,
    values?: Values,
  ): Promise<unknown>;
}

/** What Drizzle does not declare of its builders. */
interface Building<Config> {
  config: Config;
  dialect: OurDialect;
  session: OurSession | undefined;
  _prepare(): PreparedQuery;
}

interface Selecting extends Building<SelectConfig> {
  /** The table of the select; undefined where Drizzle has made the select. */
  known: KnownTable | undefined;
  joinsNotNullableMap: Readonly<Record<string, boolean>>;
  isPartialSelect: boolean;
  createJoin(type: string): unknown;
  createSetOperator(type: string, isAll: boolean): unknown;
}

const SELECT: object = Object.assign(Object.create(SQLiteSelectBase.prototype), {
  known: undefined,

  _prepare(this: Selecting): PreparedQuery {
    const fields = fieldsOf(this);
    const prepared = open(this.session).prepareQuery(written(this, fields), fields, "all", true);
    prepared.joinsNotNullableMap = this.joinsNotNullableMap;
    return prepared;
  },

  // Drizzle's is an async function, whose promise waits for another one.
  execute(this: Selecting): Promise<unknown> {
    try {
      return once(this, ALL);
    } catch (error) {
      return reject(error);
    }
  },

  toSQL(this: Selecting): Query {
    return textOf(written(this, fieldsOf(this)));
  },
});

function once(select: Selecting, method: HostMethod, values?: Values): Promise<unknown> {
  const session = open(select.session);
  const fields = fieldsOf(select);
  const query = written(select, fields);
  return session.once(query, fields, select.joinsNotNullableMap, method, values);
}

function fieldsOf({ known, config: { fields } }: Selecting): SelectedFieldsOrdered {
  return known && fields === known.columns ? known.fields : orderedFields(fields);
}

function written({ dialect, config, known }: Selecting, fields: SelectedFieldsOrdered): Query {
  return dialect.written(selectQuery(dialect, config, fields, known));
}

function open(session: OurSession | undefined): OurSession {
  if (session) return session;
  throw new Error(
    "Cannot execute a query on a query builder. Please use a database instance instead.",
  );
}

function textOf({ sql, params }: Query): Query {
  return { sql, params };
}

// Without what Drizzle's constructor does: it copies these parts one by one.
const SELECT_BUILDER: object = Object.assign(Object.create(SQLiteSelectBuilder.prototype), {
  from(this: Beginning, source: object): unknown {
    const known = areKnownParts ? tryKnownTable(source) : undefined;
    if (known) return selectFrom(known, source, this);
    return Object.setPrototypeOf(
      SQLiteSelectBuilder.prototype.from.call(this as never, source as never),
      SELECT,
    );
  },
});

function selectBuilder({ fields, session, dialect, withList, distinct }: Beginning): object {
  const builder: Record<string, unknown> = Object.create(SELECT_BUILDER);
  builder.fields = fields;
  builder.session = session;
  builder.dialect = dialect;
  builder.withList = withList;
  builder.distinct = distinct;
  return builder;
}

/** What a select begins with. */
interface Beginning {
  readonly fields: Record<string, unknown> | undefined;
  readonly session: OurSession | undefined;
  readonly dialect: OurDialect;
  readonly withList?: SelectConfig["withList"];
  readonly distinct?: boolean;
}

// What Drizzle's constructor does, but for a function for each of its methods, which are most of
// what a select costs: those are made where they are asked for.
function selectFrom(
  known: KnownTable,
  table: object,
  { fields, session, dialect, withList, distinct }: Beginning,
): object {
  const own = fields ? { ...fields } : known.columns;
  const config: SelectConfig = { withList, table, fields: own, distinct, setOperators: [] };
  const select: Record<string, unknown> = Object.create(SELECT);
  select.known = known;
  select.config = config;
  select.joinsNotNullableMap = known.joins;
  select.tableName = known.name;
  select.isPartialSelect = fields !== undefined;
  select.session = session;
  select.dialect = dialect;
  return select;
}

const LATER: Readonly<Record<string, (select: Selecting) => unknown>> = {
  _: (select) =>
    keep(select, "_", { selectedFields: selectedFields(select), config: select.config }),
  cacheConfig: () => undefined,
  usedTables: (select) =>
    keep(select, "usedTables", new Set(extractUsedTable(select.config.table as never))),
  leftJoin: (select) => joiner(select, "left"),
  rightJoin: (select) => joiner(select, "right"),
  innerJoin: (select) => joiner(select, "inner"),
  fullJoin: (select) => joiner(select, "full"),
  crossJoin: (select) => joiner(select, "cross"),
  union: (select) => select.createSetOperator("union", false),
  unionAll: (select) => select.createSetOperator("union", true),
  intersect: (select) => select.createSetOperator("intersect", false),
  except: (select) => select.createSetOperator("except", false),
  run: (select) => (values?: Values) => once(select, RUN, values),
  all: (select) => (values?: Values) => once(select, ALL, values),
  get: (select) => (values?: Values) => once(select, GET, values),
  values: (select) => (values?: Values) => once(select, VALUES, values),
};

for (const [name, make] of Object.entries(LATER)) {
  Object.defineProperty(SELECT, name, {
    get(this: Selecting) {
      return make(this);
    },
    set(this: Selecting, value: unknown) {
      keep(this, name, value);
    },
  });
}

// Joins put the fields of a whole table into an object of their own.
function selectedFields({ isPartialSelect, config, known }: Selecting): object | undefined {
  return isPartialSelect ? config.fields : known?.columns;
}

function keep(select: object, name: string, value: unknown): unknown {
  const attributes = { configurable: true, enumerable: true, writable: true };
  Object.defineProperty(select, name, { ...attributes, value });
  return value;
}

// A join writes into the map, which so far is that of all selects of the table.
function joiner(select: Selecting, type: string): unknown {
  select.joinsNotNullableMap = { ...select.joinsNotNullableMap };
  return select.createJoin(type);
}

// Whether this version of Drizzle makes the same parts. If not, its constructor makes them.
const areKnownParts = ((): boolean => {
  const table = sqliteTable("table", {});
  const theirs = new SQLiteSelectBase({ table, fields: {}, isPartialSelect: false } as never);
  const ours = selectFrom(knownTable(table), table, {} as Beginning);
  const names = [...Object.keys(ours), ...Object.keys(LATER)].filter((name) => name !== "known");
  return Reflect.ownKeys(theirs).map(String).sort().join() === names.sort().join();
})();

/** A change of Drizzle's, with another way to its SQL. */
function changeOf<Config extends ChangeConfig>(
  drizzle: object,
  queryOf: (dialect: SQLiteDialect, config: Config) => WriteQuery,
): object {
  return Object.assign(Object.create(drizzle), {
    _prepare(this: Building<Config>): PreparedQuery {
      const { config, dialect, session } = this;
      const { returning } = config;
      const query = dialect.written(queryOf(dialect, config));
      return open(session).prepareQuery(query, returning, returning ? "all" : "run", true);
    },

    // Without a list, Drizzle would make one anew.
    returning(this: Building<Config>, fields?: Beginning["fields"]): unknown {
      const { config } = this;
      config.returning = fields ? orderedFields(fields) : knownTable(config.table).fields;
      return this;
    },

    execute(this: Building<Config>): Promise<unknown> {
      try {
        return this._prepare()[this.config.returning ? "all" : "run"]();
      } catch (error) {
        return reject(error);
      }
    },

    toSQL(this: Building<Config>): Query {
      const { config, dialect } = this;
      return textOf(dialect.written(queryOf(dialect, config)));
    },
  });
}

const INSERT = changeOf(SQLiteInsertBase.prototype, insertQuery);
const UPDATE = changeOf(SQLiteUpdateBase.prototype, updateQuery);
const DELETE = changeOf(SQLiteDeleteBase.prototype, deleteQuery);

class InsertBuilder extends SQLiteInsertBuilder<any, any, any> {
  static override readonly [entityKind]: string = "SchemaScriptInsertBuilder";

  override values(values: any): any {
    return Object.setPrototypeOf(super.values(values), INSERT);
  }

  override select(query: any): any {
    return Object.setPrototypeOf(super.select(query), INSERT);
  }
}

class UpdateBuilder extends SQLiteUpdateBuilder<any, any, any> {
  static override readonly [entityKind]: string = "SchemaScriptUpdateBuilder";

  override set(values: any): any {
    return Object.setPrototypeOf(super.set(values), UPDATE);
  }
}

/** A database or a transaction, as its methods see it. */
interface Owner {
  readonly session: never;
  readonly dialect: never;
}

const METHODS = {
  select({ session, dialect }: Owner, fields?: Beginning["fields"]) {
    return selectBuilder({ fields, session, dialect });
  },
  selectDistinct({ session, dialect }: Owner, fields?: Beginning["fields"]) {
    return selectBuilder({ fields, session, dialect, distinct: true });
  },
  insert({ session, dialect }: Owner, table: never) {
    return new InsertBuilder(table, session, dialect);
  },
  update({ session, dialect }: Owner, table: never) {
    return new UpdateBuilder(table, session, dialect);
  },
  delete({ session, dialect }: Owner, table: never) {
    return Object.setPrototypeOf(new SQLiteDeleteBase(table, session, dialect), DELETE);
  },
};

/** From now on databases of the class have these builders. */
export function useBuilders(database: typeof BaseSQLiteDatabase<any, any>): void {
  for (const [name, begin] of Object.entries(METHODS)) {
    const value = function (this: Owner, given?: never): unknown {
      return begin(this, given as never);
    };
    Object.defineProperty(database.prototype, name, { configurable: true, value, writable: true });
  }
}
