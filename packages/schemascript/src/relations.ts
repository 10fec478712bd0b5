// Relations for `db.query`, found in the references of the tables: `posts.authorId` that references
// users makes `posts.author` and `users.posts`.
import {
  createTableRelationsHelpers,
  extractTablesRelationalConfig,
  getTableUniqueName,
  is,
  Many,
  One,
  Relations,
  type AnyColumn,
  type Relation,
  type RelationalSchemaConfig,
  type Table as DrizzleTable,
  type TableRelationalConfig,
  type TablesRelationalConfig,
} from "drizzle-orm";
import { invalidSchema } from "./errors.js";
import type { Facts, ReferenceFact, ReferenceShape } from "./property.js";
import type { ColumnShape } from "./registry.js";
import { referenced, shapeOfTable, type Made } from "./table.js";

type FullSchema = Record<string, unknown>;

// What a table was made of; nothing is known of one that is plain Drizzle.
type MapOf<Table> = Table extends Made<infer Map> ? Map : {};

type NameOf<Table> = Table extends DrizzleTable ? Table["_"]["name"] : never;

type ColumnsOf<Table> = Table extends DrizzleTable ? keyof Table["_"]["columns"] : never;

// The name of the table that a reference leads to.
type TargetOf<Reference> = Reference extends { readonly target: (...none: never) => infer Column }
  ? Column extends { readonly _: { readonly tableName: infer Name } }
    ? Name
    : Column extends { readonly table: infer Name }
      ? Name
      : never
  : never;

type ReferenceOf<Property> = Property extends {
  readonly _: { readonly facts: infer F extends Facts };
}
  ? F["reference"]
  : never;

// The keys of the columns that reference something.
type Referring<Map> = {
  [Key in keyof Map & string]: ReferenceOf<Map[Key]> extends ReferenceFact ? Key : never;
}[keyof Map & string];

// authorId and author_id -> author. Nothing for a key that has no such end.
type WithoutId<Key extends string> = Key extends `${infer Name}_id`
  ? Name
  : Key extends `${infer Name}Id`
    ? Name
    : Key extends `${infer Name}ID`
      ? Name
      : never;

type OneName<Table, Key extends string> =
  ReferenceOf<MapOf<Table>[Key & keyof MapOf<Table>]> extends infer Reference extends ReferenceFact
    ? Reference["name"] extends string
      ? Reference["name"]
      : Exclude<WithoutId<Key>, ColumnsOf<Table> | "">
    : never;

// Three indexes of a schema object, each made once: looking through all tables for each table is
// what takes time.

// The relations that tables say themselves, by Drizzle's `relations()`; by the table's name.
type ExplicitByName<Schema> = {
  [Key in keyof Schema as Schema[Key] extends Relations<infer Name>
    ? Name
    : never]: Schema[Key] extends Relations<string, infer Config> ? Config : never;
};

type IsExplicit<Schema, Table> = NameOf<Table> extends keyof ExplicitByName<Schema> ? true : false;

// The tables, by their names.
type KeyByName<Schema> = { [Key in keyof Schema as NameOf<Schema[Key]>]: Key };

// The tables that refer to a table, by its name.
type ReferrersByName<Schema> = {
  [From in keyof Schema & string as IsExplicit<Schema, Schema[From]> extends true
    ? never
    : Targets<MapOf<Schema[From]>> & string]: From;
};

type Targets<Map> = {
  [Key in Referring<Map>]: TargetOf<ReferenceOf<Map[Key & keyof Map]>>;
}[Referring<Map>];

type IsRequired<Property> = Property extends {
  readonly _: { readonly facts: infer F extends Facts };
}
  ? F["required"]
  : never;

type Ones<Schema, Table, Map = MapOf<Table>> = {
  [Key in Referring<Map> as TargetOf<
    ReferenceOf<Map[Key & keyof Map]>
  > extends keyof KeyByName<Schema>
    ? OneName<Table, Key>
    : never]: One<
    TargetOf<ReferenceOf<Map[Key & keyof Map]>> & string,
    IsRequired<Map[Key & keyof Map]>
  >;
};

// The columns of a table that lead to another, and give their relation no inverse name themselves.
type Unnamed<Map, Target> = {
  [Key in Referring<Map>]: ReferenceOf<Map[Key & keyof Map]> extends infer R extends ReferenceFact
    ? R["inverse"] extends string
      ? never
      : TargetOf<R> extends Target
        ? Key
        : never
    : never;
}[Referring<Map>];

// What one table, by its key, adds to the one that its columns lead to.
type InverseName<Schema, From extends keyof Schema, Key extends string, Target> =
  ReferenceOf<MapOf<Schema[From]>[Key & keyof MapOf<Schema[From]>]> extends infer R extends
    ReferenceFact
    ? TargetOf<R> extends NameOf<Target>
      ? [OneName<Schema[From], Key>] extends [never]
        ? never
        : R["inverse"] extends string
          ? R["inverse"]
          : [Exclude<Unnamed<MapOf<Schema[From]>, NameOf<Target>>, Key>] extends [never]
            ? Exclude<From & string, ColumnsOf<Target> | keyof Ones<Schema, Target>>
            : never
      : never
    : never;

type InverseNames<Schema, From extends keyof Schema, Target> = {
  [Key in Referring<MapOf<Schema[From]>>]: InverseName<Schema, From, Key, Target>;
}[Referring<MapOf<Schema[From]>>];

type Referrers<Schema, Target> =
  NameOf<Target> extends keyof ReferrersByName<Schema>
    ? ReferrersByName<Schema>[NameOf<Target>]
    : never;

type Inverses<Schema, Target> = {
  [From in Referrers<Schema, Target> & keyof Schema]: {
    name: InverseNames<Schema, From, Target> & string;
    many: Many<NameOf<Schema[From]>>;
  };
}[Referrers<Schema, Target> & keyof Schema];

// One entry for each name: a table can refer to another twice.
type Manys<Schema, Target> = {
  [Each in Inverses<Schema, Target> as Each["name"]]: Each["many"];
};

type RelationsOf<Schema, Table> =
  NameOf<Table> extends keyof ExplicitByName<Schema>
    ? ExplicitByName<Schema>[NameOf<Table>]
    : Ones<Schema, Table> & Manys<Schema, Table>;

/**
 * What `db.query` knows of the tables of a schema object: their columns, and their relations.
 *
 * @example
 * ```ts
 * import { Table, type Related } from "schemascript";
 *
 * const users = Table("users", (prop) => ({ id: prop.integer().identifier() }));
 * const posts = Table("posts", (prop) => ({
 *   id: prop.integer().identifier(),
 *   authorId: prop.integer().references(() => users.id),
 * }));
 * type Relation = keyof Related<{ users: typeof users; posts: typeof posts }>["users"]["relations"];
 * const relation: Relation = "posts";
 * ```
 */
export type Related<Schema extends FullSchema> = {
  [Key in keyof Schema as Schema[Key] extends DrizzleTable
    ? Key
    : never]: Schema[Key] extends DrizzleTable
    ? {
        tsName: Key & string;
        dbName: Schema[Key]["_"]["name"];
        columns: Schema[Key]["_"]["columns"];
        // Drizzle's type for a table without relations is never, too.
        relations: RelationsOf<Schema, Schema[Key]> extends infer Found extends Record<
          string,
          Relation
        >
          ? [keyof Found] extends [never]
            ? never
            : { [Name in keyof Found]: Found[Name] }
          : never;
        primaryKey: AnyColumn[];
      }
    : never;
};

/** What Drizzle needs for `db.query`: its own reading of the tables, and our relations. */
export function relationalConfig(
  schema: FullSchema,
): RelationalSchemaConfig<TablesRelationalConfig> | undefined {
  if (Object.keys(schema).length === 0) return undefined;
  const { tables, tableNamesMap } = extractTablesRelationalConfig(
    schema,
    createTableRelationsHelpers,
  );
  const explicit = new Set(
    Object.values(schema)
      .filter((each) => is(each, Relations))
      .map(({ table }) => getTableUniqueName(table)),
  );
  const found = Object.values(tables).flatMap((table) => {
    const made = schema[table.tsName] as DrizzleTable;
    return explicit.has(getTableUniqueName(made)) ? [] : referencesOf(table, made);
  });
  const ones = found.flatMap((each) => {
    const targetKey = tableNamesMap[getTableUniqueName(each.column.table)];
    const target = targetKey === undefined ? undefined : tables[targetKey];
    const name = each.reference.name ?? oneName(each.from, each.shape.key);
    return target && name !== undefined ? [{ ...each, target, name }] : [];
  });

  for (const { from, made, shape, column, target, name } of ones) {
    const field = from.columns[shape.key] as AnyColumn;
    const config = {
      relationName: `${from.tsName}.${shape.key}`,
      fields: [field],
      references: [column],
    };
    const one = new One(
      made,
      schema[target.tsName] as DrizzleTable,
      config as never,
      shape.required,
    );
    add(from, name, one);
  }
  for (const { from, made, shape, target, reference } of ones) {
    if (explicit.has(getTableUniqueName(schema[target.tsName] as DrizzleTable))) continue;
    const others = ones.filter(
      (each) =>
        each.from === from &&
        each.target === target &&
        each.shape !== shape &&
        each.reference.inverse === undefined,
    );
    const isTaken = from.tsName in target.columns || from.tsName in target.relations;
    const inferred = others.length > 0 || isTaken ? undefined : from.tsName;
    const name = reference.inverse ?? inferred;
    if (name === undefined) continue;
    const many = new Many(schema[target.tsName] as DrizzleTable, made, {
      relationName: `${from.tsName}.${shape.key}`,
    });
    add(target, name, many);
  }
  return { fullSchema: schema, schema: tables, tableNamesMap };
}

interface FoundReference {
  readonly from: TableRelationalConfig;
  readonly made: DrizzleTable;
  readonly shape: ColumnShape;
  readonly reference: ReferenceShape;
  readonly column: AnyColumn;
}

function referencesOf(from: TableRelationalConfig, made: DrizzleTable): FoundReference[] {
  const table = shapeOfTable(made);
  return (table?.columns ?? []).flatMap((shape) =>
    table && shape.reference
      ? [{ from, made, shape, reference: shape.reference, column: referenced(table, shape) }]
      : [],
  );
}

function oneName(table: TableRelationalConfig, key: string): string | undefined {
  const [, name] = /^(.+?)(?:_id|Id|ID)$/.exec(key) ?? [];
  return name === undefined || name in table.columns ? undefined : name;
}

function add(table: TableRelationalConfig, name: string, relation: One | Many<string>): void {
  if (name in table.columns || name in table.relations) {
    throw invalidSchema(
      `${table.tsName}.${name} would be two things: give the reference another name or inverse`,
    );
  }
  table.relations[name] = relation.withFieldName(name);
}
