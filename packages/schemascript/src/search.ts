// Full-text search: an FTS5 table that holds no texts of its own, the triggers that keep it in step,
// and how it is asked.
import { sql, type SQL } from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { invalidSchema } from "./errors.js";
import type { ColumnShape, TableShape } from "./registry.js";
import { nameText } from "./sql-text.js";
import { shapeOfTable, type Searchable } from "./table.js";

/**
 * What `search` answers: a condition for `where`, with what can be selected and ordered by.
 *
 * @example
 * ```ts
 * import { search, Table, type Found } from "schemascript";
 *
 * const notes = Table("notes", (prop) => ({ id: prop.integer().identifier(), text: prop.text() }), {
 *   search: ["text"],
 * });
 * const found: Found<"text"> = search(notes, "sqlite");
 * ```
 */
export interface Found<Key extends string = string> extends SQL<boolean> {
  /** How well a row matches; the best are the least: `orderBy(found.rank)`. */
  readonly rank: SQL<number>;
  /** The whole text of a column, with each match between two marks. */
  highlight(column: Key, before: string, after: string): SQL<string>;
  /** A part of the text of a column with the matches in it, of at most so many words (of 64). */
  snippet(column: Key, before: string, after: string, words?: number): SQL<string>;
}

/**
 * Full-text search in a table that has `search`. The words are FTS5's: `sqlite drizzle` are both
 * words, `"a phrase"`, `sql*` a beginning, `title: word` one column; AND, OR and NOT are known. For
 * words that a person has typed, use `searchWords()`, which no text can break.
 *
 * @example
 * ```ts
 * import { database, schemaStatements, search, Table } from "schemascript";
 *
 * const notes = Table(
 *   "notes",
 *   (prop) => ({ id: prop.integer().identifier(), title: prop.text(), body: prop.text() }),
 *   { search: ["title", "body"] },
 * );
 * const db = database({ notes });
 * const findNotes = (words: string) => {
 *   const found = search(notes, words);
 *   return db
 *     .select({ title: notes.title, excerpt: found.snippet("body", "<b>", "</b>") })
 *     .from(notes)
 *     .where(found)
 *     .orderBy(found.rank);
 * };
 * console.log(schemaStatements([notes]).join("\n"), findNotes("sqlite OR drizzle").toSQL().sql);
 * ```
 */
export function search<Key extends string>(
  table: Searchable<Key>,
  words: string | SQL<string>,
): Found<Key> {
  const shape = shapeOfTable(table);
  if (!shape?.search) {
    throw invalidSchema("search() takes a table that has search: [...] among its extras");
  }
  const { name, columns } = shape.search;
  const index = sql.identifier(name);
  const owner = table as unknown as Record<string, AnySQLiteColumn>;
  const id = owner[identifierOf(shape).key] as AnySQLiteColumn;
  const matches = sql`${index} MATCH ${words}`;
  // Asked for each row that was found: the index goes to that row directly.
  const ofRow = <Value>(value: SQL) =>
    sql<Value>`(SELECT ${value} FROM ${index} WHERE ${matches} AND ${index}.rowid = ${id})`;
  const at = (key: string): SQL => {
    const found = columns.indexOf(key);
    if (found < 0) throw invalidSchema(`${shape.name}: its search does not read ${key}`);
    return sql.raw(String(found));
  };
  const condition = sql<boolean>`${id} IN (SELECT rowid FROM ${index} WHERE ${matches})`;
  return Object.assign(condition, {
    rank: ofRow<number>(sql`rank`),
    highlight: (column: Key, before: string, after: string) =>
      ofRow<string>(sql`highlight(${index}, ${at(column)}, ${before}, ${after})`),
    snippet: (column: Key, before: string, after: string, words = 16) =>
      ofRow<string>(sql`snippet(${index}, ${at(column)}, ${before}, ${after}, '…', ${words})`),
  });
}

/**
 * What a person has typed, as words for `search`: rows must hold all of them, and the last may be
 * only begun. No text breaks the query.
 *
 * @example
 * ```ts
 * import { searchWords } from "schemascript";
 *
 * console.log(searchWords('say "hi" AND go')); // "say" """hi""" "AND" "go"*
 * ```
 */
export function searchWords(typed: string): string {
  const words = typed.split(/[\s\0]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const quoted = words.map((word) => `"${word.replaceAll('"', '""')}"`);
  // An empty phrase matches nothing.
  return quoted.length === 0 ? '""' : `${quoted.join(" ")}*`;
}

/** The FTS5 table and the triggers of a table; nothing where it has no search. */
export function searchStatements(table: TableShape): readonly string[] {
  if (!table.search) return [];
  const { search } = table;
  const owner = nameText(table.name);
  const index = nameText(search.name);
  const id = nameText(identifierOf(table).name);
  const columns = search.columns.map((key) =>
    nameText((table.columns.find((column) => column.key === key) as ColumnShape).name),
  );
  const options = [
    `content=${optionText(table.name)}`,
    `content_rowid=${optionText(identifierOf(table).name)}`,
  ];
  const row = (alias: string) => [id, ...columns].map((column) => `${alias}.${column}`).join(", ");
  const insert = `INSERT INTO ${index} (rowid, ${columns.join(", ")}) VALUES (${row("new")});`;
  const remove = `INSERT INTO ${index} (${index}, rowid, ${columns.join(", ")}) VALUES ('delete', ${row("old")});`;
  const trigger = (event: string, on: string, ...steps: string[]) =>
    [
      `CREATE TRIGGER ${nameText(`${search.name}_${event}`)} AFTER ${on} ON ${owner} BEGIN`,
      ...steps.map((step) => `  ${step}`),
      "END;",
    ].join("\n");
  return [
    `CREATE VIRTUAL TABLE ${index} USING fts5(${[...columns, ...options].join(", ")});`,
    trigger("insert", "INSERT", insert),
    trigger("delete", "DELETE", remove),
    trigger("update", `UPDATE OF ${[id, ...columns].join(", ")}`, remove, insert),
  ];
}

function optionText(name: string): string {
  return `'${name.replaceAll("'", "''")}'`;
}

function identifierOf(table: TableShape): ColumnShape {
  return table.columns.find((column) => column.identifier) as ColumnShape;
}
