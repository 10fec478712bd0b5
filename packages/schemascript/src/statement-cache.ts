// Statements of a host, by their SQL text. Programs build the same queries again and again; what is
// found out about the rows of one is true for the next, as long as it has the same fields.
import { Column, is } from "drizzle-orm";
// @ts-expect-error: exported, and left out of Drizzle's types.
import { mapResultRow } from "drizzle-orm";
import type { SelectedFieldsOrdered } from "drizzle-orm/sqlite-core";
import { tryFindKind } from "./decoder.js";
import type { Host, HostStatement } from "./host.js";
import { decoderOf, tryShapeOf } from "./row-shape.js";

// As many different queries as a program is likely to have. Long texts are inserts of many rows,
// which hardly come twice.
const STATEMENTS_MAX = 200;
const SQL_UNITS_MAX = 4096;

type Fields = SelectedFieldsOrdered | undefined;
type Joins = Readonly<Record<string, boolean>> | undefined;

/** A statement, and what its rows become that the host does not make objects of. */
export interface CachedStatement {
  readonly statement: HostStatement;
  readonly mapRow: ((row: unknown[]) => unknown) | undefined;
}

interface Entry extends CachedStatement {
  readonly fields: Fields;
  readonly joins: Joins;
}

export class StatementCache {
  readonly #host: Host;
  readonly #entries = new Map<string, Entry>();
  // By the fields of a whole table, which are one list for all queries. Their rows are the same
  // whatever is joined: only an object inside of a row can be missing.
  readonly #ofTables = new WeakMap<object, Entry>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** The statement of a query; `joins` says which of its tables are there in every row. */
  find(sql: string, fields: Fields, joins: Joins): CachedStatement {
    const known = this.#entries.get(sql);
    if (known && haveSameRows(known, fields, joins)) return known;
    const made = this.#make(sql, fields, joins);
    if (sql.length > SQL_UNITS_MAX) return made;
    // All at once: a program that has so many different queries hardly sends one twice.
    if (this.#entries.size >= STATEMENTS_MAX) this.#entries.clear();
    this.#entries.set(sql, made);
    return made;
  }

  #make(sql: string, fields: Fields, given: Joins): Entry {
    // Drizzle goes on with its own object where a query is built further.
    const joins = given && !Object.isFrozen(given) ? { ...given } : given;
    const like = fields && this.#ofTables.get(fields);
    if (like) {
      const statement = this.#host.statement(sql, like.statement);
      return { statement, mapRow: like.mapRow, fields, joins };
    }
    const shape = fields && tryShapeOf(fields, joins);
    const made: Entry = {
      statement: this.#host.statement(sql, shape),
      mapRow: fields && !shape ? (row) => mapResultRow(fields as never, row, joins) : undefined,
      fields,
      joins,
    };
    if (fields && Object.isFrozen(fields)) this.#ofTables.set(fields, made);
    return made;
  }
}

function haveSameRows(known: Entry, fields: Fields, joins: Joins): boolean {
  return haveSameFields(known.fields, fields) && areSameJoins(known.joins, joins);
}

function haveSameFields(known: Fields, fields: Fields): boolean {
  if (!known || !fields || known === fields) return known === fields;
  if (known.length !== fields.length) return false;
  for (let index = 0; index < fields.length; index++) {
    const [one, other] = [known[index] as Field, fields[index] as Field];
    if (!isSameField(one.field, other.field)) return false;
    if (one.path.length !== other.path.length) return false;
    for (let depth = 0; depth < one.path.length; depth++) {
      if (one.path[depth] !== other.path[depth]) return false;
    }
  }
  return true;
}

type Field = SelectedFieldsOrdered[number];

// Expressions are made anew for each query. Two of them are alike where they decode by the same
// known function, which looks at nothing but the stored value.
function isSameField(one: Field["field"], other: Field["field"]): boolean {
  if (one === other) return true;
  if (is(one, Column) || is(other, Column)) return false;
  const [decoder, otherDecoder] = [decoderOf(one), decoderOf(other)];
  if (decoder === otherDecoder) return true;
  const decode = decoder.mapFromDriverValue;
  return (
    decode === otherDecoder.mapFromDriverValue &&
    !is(decoder, Column) &&
    tryFindKind(decode) !== undefined
  );
}

function areSameJoins(known: Joins, joins: Joins): boolean {
  if (!known || !joins || known === joins) return known === joins;
  const names = Object.keys(joins);
  return (
    names.length === Object.keys(known).length && names.every((name) => known[name] === joins[name])
  );
}
