// A Mermaid entity-relationship diagram, as text.
import type { ColumnShape, TableShape } from "../registry.js";
import { edgesOf, isKey, isSingle, typeWord, type Edge } from "./graph.js";

/** The diagram of the tables. */
export function mermaidText(tables: readonly TableShape[]): string {
  const lines = ["erDiagram"];
  for (const table of tables) {
    const edges = edgesOf(table);
    lines.push(`  ${entity(table.name)} {`);
    for (const column of table.columns) lines.push(`    ${attribute(table, column, edges)}`);
    lines.push("  }");
  }
  for (const edge of tables.flatMap(edgesOf)) {
    const many = edge.single ? "|o" : "}o";
    const one = edge.required ? "||" : "o|";
    const label = quoted(edge.columns.join(", "));
    lines.push(`  ${entity(edge.from.name)} ${many}--${one} ${entity(edge.to)} : ${label}`);
  }
  return `${lines.join("\n")}\n`;
}

function attribute(table: TableShape, column: ColumnShape, edges: readonly Edge[]): string {
  const keys: string[] = [];
  if (isKey(table, column)) keys.push("PK");
  if (edges.some(({ columns }) => columns.includes(column.name))) keys.push("FK");
  if (!column.identifier && isSingle(table, [column.name])) keys.push("UK");
  const notes: string[] = [];
  const name = word(column.name);
  if (name !== column.name) notes.push(column.name);
  if (!column.required) notes.push("optional");
  if (column.generated) notes.push("generated");
  if (column.description) notes.push(column.description);
  const parts = [word(typeWord(column)), name, keys.join(", ")].filter(Boolean);
  return notes.length === 0 ? parts.join(" ") : `${parts.join(" ")} ${quoted(notes.join("; "))}`;
}

// Mermaid takes few characters in the names of attributes and their types.
function word(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9_[\]-]/g, "_");
  return /^[A-Za-z_]/.test(plain) && !/^[pfu]k$/i.test(plain) ? plain : `_${plain}`;
}

function entity(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !WORDS.has(name.toLowerCase())
    ? name
    : quoted(name);
}

// Words of the diagram's own language.
const WORDS = new Set(
  (
    "erdiagram one many only zero more or to optionally title direction style class classdef u end subgraph " +
    "acctitle accdescr"
  ).split(" "),
);

// There is no escape for a quote, and some other characters end a name.
function quoted(text: string): string {
  return `"${text.replace(/["\\%]/g, "'").replace(/[\x00-\x1f\u2028\u2029]+/g, " ")}"`;
}
