// Drizzle's SQL objects to text and parameters, in one walk. Drizzle's own walk makes an object for
// each part of a query, and asks a dozen classes what each part is; an interpreter takes ten times
// as long for that. What is written is the same: where this has no rule of its own, Drizzle is asked.
import {
  Column,
  is,
  Name,
  Param,
  Placeholder,
  SQL,
  StringChunk,
  Subquery,
  Table,
  View,
  ViewBaseConfig,
  type Query,
  type SQLWrapper,
} from "drizzle-orm";
import type { SQLiteDialect } from "drizzle-orm/sqlite-core";
import { tableText, tryKnownColumn } from "./known-table.js";
import { nameText } from "./sql-text.js";

type Write = (writer: SqlWriter, chunk: never) => void;

// What Drizzle's is() answers depends on an object's prototype alone, so that it is asked once for
// each.
const writes = new WeakMap<object, Write>();

/** Writes a query, and is it when all is written. */
export class SqlWriter implements Query {
  sql = "";
  readonly params: unknown[] = [];
  // Values are written into the text: sql`...`.inlineParams().
  #isInline = false;
  readonly #dialect: SQLiteDialect;

  constructor(dialect: SQLiteDialect) {
    this.#dialect = dialect;
  }

  /** Anything that can stand in sql`${...}`. */
  write(chunk: unknown): void {
    // What nearly all parts are.
    const made: unknown = chunk?.constructor;
    if (made === StringChunk) this.sql += textOf(chunk as StringChunk);
    else if (made === SQL) this.#sql(chunk as SQL);
    else if (made === Param) this.param(chunk as Param);
    else if (typeof chunk === "object" && chunk !== null) this.#object(chunk);
    else if (typeof chunk === "function") this.#asDrizzle(chunk);
    else if (chunk !== undefined) this.value(chunk);
  }

  #object(chunk: object): void {
    const column = tryKnownColumn(chunk);
    if (column) this.sql += column.text;
    else if (Array.isArray(chunk)) this.#list(chunk);
    else this.#writeOf(chunk)(this, chunk as never);
  }

  /** Several, with `between` between them. */
  join(chunks: readonly unknown[], between: string): void {
    for (let index = 0; index < chunks.length; index++) {
      if (index > 0) this.sql += between;
      this.write(chunks[index]);
    }
  }

  /** A value with the conversion of its column. */
  param(param: Param): void {
    const { value } = param;
    if (value === null) this.value(null);
    else if (typeof value === "object" && is(value, Placeholder)) this.place(param);
    else this.#converted(param.encoder.mapToDriverValue(value));
  }

  #converted(stored: unknown): void {
    if (typeof stored === "object" && stored !== null && is(stored, SQL)) this.#sql(stored);
    else this.value(stored);
  }

  /** A value as it is stored. */
  value(stored: unknown): void {
    if (this.#isInline) this.sql += this.#inlined(stored);
    else this.place(stored);
  }

  /** A parameter, whose value may come later. */
  place(param: unknown): void {
    this.sql += "?";
    this.params.push(param);
  }

  #sql(chunk: SQL): void {
    const { queryChunks } = chunk;
    const wasInline = this.#isInline;
    this.#isInline = wasInline || isInline(chunk);
    for (let index = 0; index < queryChunks.length; index++) {
      const part = queryChunks[index];
      // Half of them.
      if (part?.constructor === StringChunk) this.sql += textOf(part as StringChunk);
      else this.write(part);
    }
    this.#isInline = wasInline;
  }

  #list(chunks: readonly unknown[]): void {
    this.sql += "(";
    this.join(chunks, ", ");
    this.sql += ")";
  }

  #column(column: Column): void {
    this.sql += `${tableText(column.table)}.${nameText(column.name)}`;
  }

  #subquery({ _: { sql, alias, isWith } }: Subquery): void {
    if (!isWith) {
      this.sql += "(";
      this.write(sql);
      this.sql += ") ";
    }
    this.sql += nameText(alias);
  }

  #wrapped(wrapper: SQLWrapper): void {
    if (wrapper.shouldOmitSQLParens?.()) {
      this.write(wrapper.getSQL());
      return;
    }
    this.sql += "(";
    this.write(wrapper.getSQL());
    this.sql += ")";
  }

  #writeOf(chunk: object): Write {
    const prototype: object | null = Object.getPrototypeOf(chunk);
    if (prototype === null) return (writer, odd) => writer.#asDrizzle(odd);
    let write = writes.get(prototype);
    if (write === undefined) {
      write = SqlWriter.#findWrite(chunk);
      writes.set(prototype, write);
    }
    return write;
  }

  // In the order in which Drizzle asks.
  static #findWrite(chunk: object): Write {
    if (is(chunk, StringChunk)) {
      return (writer, text: StringChunk) => (writer.sql += textOf(text));
    }
    if (is(chunk, Name)) return (writer, { value }: Name) => (writer.sql += nameText(value));
    if (is(chunk, SQL)) return (writer, sql: SQL) => writer.#sql(sql);
    if (is(chunk, Table)) return (writer, table: Table) => (writer.sql += tableText(table));
    if (is(chunk, Column)) return (writer, column: Column) => writer.#column(column);
    if (is(chunk, View)) return (writer, view: View) => (writer.sql += viewText(view));
    if (is(chunk, Param)) return (writer, param: Param) => writer.param(param);
    if (is(chunk, Placeholder)) return (writer, place: Placeholder) => writer.place(place);
    if (is(chunk, SQL.Aliased)) {
      return (writer, aliased: SQL.Aliased) => {
        if (aliased.fieldAlias === undefined) writer.#wrapped(aliased);
        else writer.sql += nameText(aliased.fieldAlias);
      };
    }
    if (is(chunk, Subquery)) return (writer, subquery: Subquery) => writer.#subquery(subquery);
    return (writer, other: Partial<SQLWrapper>) => {
      if (typeof other.getSQL === "function") writer.#wrapped(other as SQLWrapper);
      else writer.value(other);
    };
  }

  #asDrizzle(chunk: unknown): void {
    const dialect = this.#dialect;
    const { sql, params } = new SQL([]).buildQueryFromSourceParams([chunk as never], {
      casing: Reflect.get(dialect, "casing") as never,
      escapeName: dialect.escapeName,
      escapeParam: dialect.escapeParam,
      escapeString: dialect.escapeString,
      inlineParams: this.#isInline,
    });
    this.sql += sql;
    this.params.push(...params);
  }

  #inlined(stored: unknown): string {
    return Reflect.apply(Reflect.get(SQL.prototype, "mapInlineParam"), undefined, [
      stored,
      this.#dialect,
    ]);
  }
}

function textOf({ value }: StringChunk): string {
  return value.length === 1 ? (value[0] as string) : value.join("");
}

function isInline(sql: SQL): boolean {
  return (sql as unknown as { shouldInlineParams: boolean }).shouldInlineParams;
}

/** The name that stands for a view in the query. */
export function viewName(view: View): string {
  return configOf(view).name;
}

function viewText(view: View): string {
  const { schema, name, isAlias } = configOf(view);
  return schema === undefined || isAlias ? nameText(name) : `${nameText(schema)}.${nameText(name)}`;
}

interface ViewConfig {
  readonly schema: string | undefined;
  readonly name: string;
  readonly isAlias: boolean;
}

function configOf(view: View): ViewConfig {
  return (view as unknown as Readonly<Record<symbol, ViewConfig>>)[ViewBaseConfig] as ViewConfig;
}
