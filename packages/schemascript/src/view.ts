// Views: a query, Drizzle's or SQL, that has a name and a place among the declared tables.
import { Column, is, SQL, Table as DrizzleTable, type ColumnsSelection } from "drizzle-orm";
import type { AddAliasToSelection } from "drizzle-orm/query-builders/select.types";
import { QueryBuilder, sqliteView, type SQLiteViewWithSelection } from "drizzle-orm/sqlite-core";
import { invalidSchema } from "./errors.js";
import type { FieldBuilder } from "./field.js";
import { declareView, type ViewShape } from "./registry.js";
import { checkName, tableShape, type PropertyMap } from "./schema.js";
import { columnBuilders, type ColumnOf } from "./table.js";

/**
 * What a view shows: a select of Drizzle's.
 *
 * @example
 * ```ts
 * import { QueryBuilder } from "drizzle-orm/sqlite-core";
 * import { Table, View, type ViewQuery } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * const query: ViewQuery<{ name: typeof users.name }> = new QueryBuilder()
 *   .select({ name: users.name })
 *   .from(users);
 * const names = View("names", query);
 * ```
 */
export interface ViewQuery<Selection extends ColumnsSelection> {
  readonly _: { readonly selectedFields: Selection };
  getSQL(): SQL;
}

/**
 * A view that can be queried: one of Drizzle's, with exact types of its columns.
 *
 * @example
 * ```ts
 * import { Table, View } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * const names: View<"names", { name: typeof users.name }> = View("names", (query) =>
 *   query.select({ name: users.name }).from(users),
 * );
 * ```
 */
export type View<
  Name extends string = string,
  Selection extends ColumnsSelection = any,
> = SQLiteViewWithSelection<Name, false, AddAliasToSelection<Selection, Name, "sqlite">>;

/** What the builder of a view's columns makes of them. */
type Selected<Name extends string, Map extends PropertyMap> = {
  [Key in keyof Map & string]: ColumnOf<Name, Key, Map[Key]["_"]["value"], Map[Key]["_"]["facts"]>;
};

// By the view's target: Drizzle's views are proxies.
const shapes = new WeakMap<object, ViewShape>();

/**
 * Defines a view: a query that can be selected from like a table. Expressions in it have a name:
 * `sql<number>`...`.as("total")`.
 *
 * @example
 * ```ts
 * import { count, eq } from "drizzle-orm";
 * import { database, schemaStatements, Table, View } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * const posts = Table("posts", (prop) => ({
 *   id: prop.integer().identifier(),
 *   authorId: prop.integer().references(() => users.id),
 * }));
 * const authors = View("authors", (query) =>
 *   query
 *     .select({ name: users.name, posts: count(posts.id).as("posts") })
 *     .from(users)
 *     .innerJoin(posts, eq(posts.authorId, users.id))
 *     .groupBy(users.id),
 * );
 *
 * const db = database();
 * for (const statement of schemaStatements()) await db.run(statement);
 * await db.insert(users).values({ name: "Ada" });
 * await db.insert(posts).values({ authorId: 1 });
 * console.log(await db.select().from(authors)); // [{ name: "Ada", posts: 1 }]
 * ```
 *
 * With a builder of its columns, the query is SQL; that the columns are what it selects is not
 * checked. `columnList` writes their names into the statement, for a query that has other names.
 *
 * @example
 * ```ts
 * import { sql } from "drizzle-orm";
 * import { database, schemaStatements, Table, View } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * const initials = View(
 *   "initials",
 *   (prop) => ({ initial: prop.text(), users: prop.integer() }),
 *   sql`SELECT substr(name, 1, 1) AS initial, count(*) AS users FROM users GROUP BY 1`,
 * );
 *
 * const db = database();
 * for (const statement of schemaStatements()) await db.run(statement);
 * await db.insert(users).values([{ name: "Ada" }, { name: "Alan" }]);
 * console.log(await db.select().from(initials)); // [{ initial: "A", users: 2 }]
 * ```
 */
export function View<const Name extends string, Selection extends ColumnsSelection>(
  name: Name,
  query: ViewQuery<Selection> | ((query: QueryBuilder) => ViewQuery<Selection>),
): View<Name, Selection>;
export function View<const Name extends string, Map extends PropertyMap>(
  name: Name,
  builder: (prop: FieldBuilder) => Map,
  query: SQL,
  options?: { readonly columnList?: boolean },
): View<Name, Selected<Name, Map>>;
export function View(
  name: string,
  first: unknown,
  text?: unknown,
  options?: { readonly columnList?: boolean },
): unknown {
  checkName("a view", name);
  return text === undefined
    ? viewOfQuery(name, first)
    : viewOfText(name, first as (prop: FieldBuilder) => PropertyMap, text, options);
}

function viewOfText(
  name: string,
  builder: (prop: FieldBuilder) => PropertyMap,
  query: unknown,
  options?: { readonly columnList?: boolean },
): unknown {
  if (!is(query, SQL))
    throw invalidSchema(`${name}: the query of a view is SQL: sql\`SELECT ...\``);
  const columns = tableShape(name, builder);
  return declared(sqliteView(name, columnBuilders(columns)).as(query), {
    name,
    columns: Object.freeze(columns.columns.map((column) => column.name)),
    query,
    columnList: options?.columnList ?? false,
  });
}

function viewOfQuery(name: string, query: unknown): unknown {
  const built: unknown = typeof query === "function" ? query(new QueryBuilder()) : query;
  if (!isQuery(built)) {
    throw invalidSchema(`${name}: a view is a select: (query) => query.select().from(users)`);
  }
  return declared(sqliteView(name).as(built as never), {
    name,
    columns: Object.freeze(columnNames(name, built._.selectedFields)),
    query: built.getSQL(),
    columnList: true,
  });
}

function declared(view: object, shape: ViewShape): object {
  shapes.set(view, Object.freeze(shape));
  declareView(shape);
  return view;
}

/** The shape of a view that View() made, or undefined for what is none. */
export function shapeOfView(view: unknown): ViewShape | undefined {
  return typeof view === "object" && view !== null ? shapes.get(view) : undefined;
}

interface BuiltQuery {
  readonly _: { readonly selectedFields: object };
  getSQL(): SQL;
}

function isQuery(query: unknown): query is BuiltQuery {
  return (
    typeof query === "object" && query !== null && "getSQL" in query && "getSelectedFields" in query
  );
}

// In the order of the select. A table among the fields stands for its columns.
function columnNames(view: string, fields: object): string[] {
  const names: string[] = [];
  const add = (key: string, field: unknown): void => {
    if (is(field, Column)) names.push(field.name);
    else if (is(field, SQL.Aliased)) names.push(field.fieldAlias);
    else if (is(field, SQL)) {
      throw invalidSchema(`${view}.${key} is an expression without a name: .as("${key}")`);
    } else if (is(field, DrizzleTable) || (typeof field === "object" && field !== null)) {
      for (const [inner, each] of Object.entries(field)) add(inner, each);
    }
  };
  for (const [key, field] of Object.entries(fields)) add(key, field);
  const folded = names.map((name) => name.toLowerCase());
  const twice = names.find((_, index) => folded.indexOf(folded[index] as string) !== index);
  if (twice !== undefined) {
    throw invalidSchema(
      `${view}: two columns of a view are called ${twice}: name one: sql\`...\`.as("...")`,
    );
  }
  return names;
}
