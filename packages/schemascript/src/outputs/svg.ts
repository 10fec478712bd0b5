// An entity-relationship diagram as one SVG, to be looked at without any tool. Tables stand in
// columns, each right of those that it refers to; tables without references stand below.
import type { ColumnShape, TableShape } from "../registry.js";
import { edgesOf, isKey, isSingle, typeWord, type Edge } from "./graph.js";

const CHARACTER = 7.25; // The width of one at 12 pixels, in the monospaced fonts below.
const ROW = 22;
const HEAD = 30;
const PADDING = 12;
const KEY = 30; // For "PK".
const NAME_MAX = 40;
const GAP_X = 96;
const GAP_Y = 36;
const MARGIN = 32;

/** A table, or a place that a long edge passes through, in a column of the drawing. */
interface Node {
  readonly table: TableShape | undefined;
  readonly rows: readonly Row[];
  readonly width: number;
  readonly height: number;
  x: number;
  y: number;
  /** The right end of its column. */
  right: number;
}

interface Row {
  readonly column: ColumnShape;
  readonly key: string;
  readonly type: string;
}

/** An edge from left to right: the nodes it leads through, and the row at both ends. */
interface Line {
  readonly edge: Edge;
  readonly nodes: readonly Node[];
  readonly startRow: number;
  readonly endRow: number;
  /** Whether its left end is the table that refers. */
  readonly isReversed: boolean;
}

/** The diagram of the tables. */
export function svgText(tables: readonly TableShape[]): string {
  const edges = tables.flatMap(edgesOf).filter((edge) => find(tables, edge.to));
  const linked = new Set(edges.flatMap((edge) => [edge.from, find(tables, edge.to) as TableShape]));
  const nodes = new Map(tables.map((table) => [table, node(table)]));
  const ranks = ranksOf([...linked], edges, tables);

  const columns: Node[][] = [];
  for (const [table, rank] of ranks) (columns[rank] ??= []).push(nodes.get(table) as Node);
  const lines = edges.map((edge) => line(edge, tables, nodes, ranks, columns));
  order(columns, lines);
  const bottom = place(columns, lines);
  const rest = tables
    .filter((table) => !linked.has(table))
    .map((table) => nodes.get(table) as Node);
  placeRest(rest, bottom, Math.max(...columns.flat().map((each) => each.x + each.width), 900));

  const boxes = [...nodes.values()];
  // A table that refers to itself has a loop at its right side.
  const width = Math.max(0, ...boxes.map((box) => box.x + box.width)) + MARGIN + 24;
  const height = Math.max(0, ...boxes.map((box) => box.y + box.height)) + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(tables.map(({ name }) => name).join(", "))}</title>`,
    STYLE,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...lines.map(lineText),
    ...boxes.map(boxText),
    "</svg>\n",
  ].join("\n");
}

function find(tables: readonly TableShape[], name: string): TableShape | undefined {
  return tables.find((table) => table.name.toLowerCase() === name.toLowerCase());
}

function node(table: TableShape): Node {
  const edges = edgesOf(table);
  const rows = table.columns.map((column) => {
    const isForeign = edges.some(({ columns }) => columns.includes(column.name));
    const key = isKey(table, column)
      ? "PK"
      : isForeign
        ? "FK"
        : isSingle(table, [column.name])
          ? "UK"
          : "";
    return { column, key, type: shortened(typeWord(column)) + (column.required ? "" : "?") };
  });
  const widths = rows.map(
    ({ column, type }) => KEY + (lengthOf(shortened(column.name)) + 2 + lengthOf(type)) * CHARACTER,
  );
  const width = Math.max(lengthOf(shortened(table.name)) * CHARACTER * 1.1, 130, ...widths);
  return {
    table,
    rows,
    width: Math.ceil(width + 2 * PADDING),
    height: HEAD + rows.length * ROW + 6,
    x: 0,
    y: 0,
    right: 0,
  };
}

// How far each table is from those that refer to nothing. A cycle is cut where it closes.
function ranksOf(
  linked: readonly TableShape[],
  edges: readonly Edge[],
  tables: readonly TableShape[],
): Map<TableShape, number> {
  const ranks = new Map<TableShape, number>();
  const open = new Set<TableShape>();
  const rankOf = (table: TableShape): number => {
    const known = ranks.get(table);
    if (known !== undefined) return known;
    open.add(table);
    let rank = 0;
    for (const edge of edges) {
      const target = find(tables, edge.to) as TableShape;
      if (edge.from === table && !open.has(target)) rank = Math.max(rank, rankOf(target) + 1);
    }
    open.delete(table);
    ranks.set(table, rank);
    return rank;
  };
  linked.forEach(rankOf);
  return ranks;
}

function line(
  edge: Edge,
  tables: readonly TableShape[],
  nodes: ReadonlyMap<TableShape, Node>,
  ranks: ReadonlyMap<TableShape, number>,
  columns: Node[][],
): Line {
  const target = find(tables, edge.to) as TableShape;
  const [from, to] = [ranks.get(edge.from) ?? 0, ranks.get(target) ?? 0];
  const isReversed = from < to;
  const [left, right] = isReversed ? [edge.from, target] : [target, edge.from];
  const row = (table: TableShape) => {
    const names = table === edge.from ? edge.columns : edge.toColumns;
    return Math.max(
      0,
      table.columns.findIndex(({ name }) => name === names[0]),
    );
  };
  const between: Node[] = [];
  for (let rank = Math.min(from, to) + 1; rank < Math.max(from, to); rank++) {
    const passage = { table: undefined, rows: [], width: 0, height: 6, x: 0, y: 0, right: 0 };
    columns[rank]?.push(passage);
    between.push(passage);
  }
  const start = nodes.get(left) as Node;
  const isLoop = edge.from === target;
  return {
    edge,
    nodes: isLoop ? [start] : [start, ...between, nodes.get(right) as Node],
    startRow: isLoop ? row(edge.from) : row(left),
    endRow: isLoop
      ? Math.max(
          0,
          target.columns.findIndex(({ name }) => name === edge.toColumns[0]),
        )
      : row(right),
    isReversed,
  };
}

function neighbors(lines: readonly Line[]): Map<Node, Node[]> {
  const found = new Map<Node, Node[]>();
  const add = (one: Node, other: Node) => found.set(one, [...(found.get(one) ?? []), other]);
  for (const { nodes } of lines) {
    nodes.slice(1).forEach((next, index) => {
      const previous = nodes[index] as Node;
      add(previous, next);
      add(next, previous);
    });
  }
  return found;
}

// Each column in the order of its neighbors' middle, left to right and back, a few times.
function order(columns: Node[][], lines: readonly Line[]): void {
  const near = neighbors(lines);
  const position = new Map<Node, number>();
  const number = (column: readonly Node[]) =>
    column.forEach((each, index) => position.set(each, (index + 0.5) / column.length));
  columns.forEach(number);
  for (let sweep = 0; sweep < 8; sweep++) {
    const turn = sweep % 2 === 0 ? columns : columns.slice().reverse();
    for (const column of turn) {
      const middle = new Map(
        column.map((each) => {
          const others = (near.get(each) ?? []).map((other) => position.get(other) ?? 0);
          const own = position.get(each) ?? 0;
          return [each, others.length === 0 ? own : mean(others)] as const;
        }),
      );
      column.sort((one, other) => (middle.get(one) ?? 0) - (middle.get(other) ?? 0));
      number(column);
    }
  }
}

// Answers the lower end of the drawing. Boxes of a column never overlap: each stands below the one
// before it, and then the column moves as a whole.
function place(columns: readonly Node[][], lines: readonly Line[]): number {
  const near = neighbors(lines);
  let x = MARGIN;
  for (const column of columns) {
    const width = Math.max(0, ...column.map((each) => each.width));
    let y = MARGIN;
    for (const each of column) {
      each.x = x;
      each.y = y;
      each.right = x + width;
      y += each.height + GAP_Y;
    }
    x += width + GAP_X;
  }
  for (let sweep = 0; sweep < 6; sweep++) {
    for (const column of sweep % 2 === 0 ? columns : columns.slice().reverse()) {
      const wanted = column.map((each) => {
        const others = near.get(each) ?? [];
        return others.length === 0
          ? each.y
          : mean(others.map((other) => other.y + other.height / 2)) - each.height / 2;
      });
      let end = -Infinity;
      column.forEach((each, index) => {
        each.y = Math.max(wanted[index] ?? 0, end + GAP_Y);
        end = each.y + each.height;
      });
      const shift = mean(column.map((each, index) => (wanted[index] ?? 0) - each.y));
      for (const each of column) each.y += shift;
    }
  }
  const nodes = columns.flat();
  const top = Math.min(...nodes.map(({ y }) => y));
  for (const each of nodes) each.y = Math.round(each.y - top + MARGIN);
  return Math.max(0, ...nodes.map((each) => each.y + each.height));
}

function placeRest(rest: readonly Node[], bottom: number, right: number): void {
  let [x, y, end] = [MARGIN, bottom === 0 ? MARGIN : bottom + GAP_Y, 0];
  for (const each of rest) {
    if (x > MARGIN && x + each.width > right) [x, y] = [MARGIN, end + GAP_Y];
    [each.x, each.y] = [x, y];
    x += each.width + GAP_Y;
    end = Math.max(end, y + each.height);
  }
}

function mean(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

function lineText({ edge, nodes, startRow, endRow, isReversed }: Line): string {
  const rowY = (each: Node, row: number) =>
    each.y + (each.table ? HEAD + (row + 0.5) * ROW : each.height / 2);
  const first = nodes[0] as Node;
  const isLoop = nodes.length === 1;
  const start = { x: first.x + first.width, y: rowY(first, startRow) };
  let [x, y] = [start.x, start.y];
  let path = `M${x} ${y}`;
  if (isLoop) {
    y = rowY(first, endRow);
    path += `C${x + 56} ${start.y} ${x + 56} ${y} ${x} ${y}`;
  }
  for (const next of nodes.slice(1)) {
    // Level beside its own column's boxes; up or down only between the columns.
    const from = nodes[nodes.indexOf(next) - 1]?.right ?? x;
    const nextY = rowY(next, endRow);
    const middle = (from + next.x) / 2;
    path += `H${from}C${middle} ${y} ${middle} ${nextY} ${next.x} ${nextY}`;
    [x, y] = [next.x, nextY];
  }
  const one = edge.required ? ONE : ZERO_ONE;
  const many = edge.single ? ZERO_ONE : MANY;
  // A loop begins at the column that refers.
  const [startSign, endSign] = isReversed || isLoop ? [many, one] : [one, many];
  const ends = `${edge.from.name}.${edge.columns.join(", ")} → ${edge.to}.${edge.toColumns.join(", ")}`;
  return [
    `<g class="line"><title>${escaped(ends)}</title>`,
    `<path d="${path}"/>`,
    `<g transform="translate(${start.x} ${start.y})">${startSign}</g>`,
    `<g transform="translate(${x} ${y})${isLoop ? "" : " scale(-1 1)"}">${endSign}</g></g>`,
  ].join("");
}

function boxText({ table, rows, width, height, x, y }: Node): string {
  if (!table) return "";
  const lines = rows.map(({ column, key, type }, index) => {
    const at = HEAD + (index + 0.5) * ROW + 4;
    const title = [column.name, column.description].filter(Boolean).join(": ");
    return [
      `<g><title>${escaped(title)}</title>`,
      key ? `<text class="key ${key}" x="${PADDING}" y="${at}">${key}</text>` : "",
      `<text class="${key === "PK" ? "name identifier" : "name"}" x="${PADDING + KEY}" y="${at}">${escaped(shortened(column.name))}</text>`,
      `<text class="type" x="${width - PADDING}" y="${at}">${escaped(type)}</text></g>`,
    ].join("");
  });
  return [
    `<g class="table" transform="translate(${x} ${y})">`,
    `<title>${escaped([table.name, table.description].filter(Boolean).join(": "))}</title>`,
    `<rect class="box" width="${width}" height="${height}" rx="6"/>`,
    `<path class="head" d="M0 ${HEAD - 4}V6a6 6 0 0 1 6 -6H${width - 6}a6 6 0 0 1 6 6V${HEAD - 4}Z"/>`,
    `<text class="title" x="${PADDING}" y="18">${escaped(shortened(table.name))}</text>`,
    ...lines,
    "</g>",
  ].join("\n");
}

// What stands at the end of a line, right of a box that begins at 0.
const CIRCLE = (x: number) => `<circle cx="${x}" cy="0" r="3.5"/>`;
const ONE = `<path d="M5 -5V5M9 -5V5"/>`;
const ZERO_ONE = `<path d="M5 -5V5"/>${CIRCLE(12)}`;
const MANY = `<path d="M0 -6L9 0L0 6"/>${CIRCLE(12.5)}`;

const STYLE = [
  "<style>",
  `text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#0f172a}`,
  ".box{fill:#ffffff;stroke:#94a3b8}",
  ".head{fill:#1e3a5f}",
  ".title{font-weight:700;fill:#ffffff;font-size:13px}",
  ".identifier{font-weight:700}",
  ".type{fill:#64748b;text-anchor:end}",
  ".key{font-size:10px;font-weight:700;fill:#64748b}",
  ".PK{fill:#b45309}",
  ".FK{fill:#1d4ed8}",
  ".line path{fill:none;stroke:#64748b;stroke-width:1.4}",
  ".line circle{fill:#ffffff;stroke:#64748b;stroke-width:1.4}",
  "</style>",
].join("\n");

// Characters of East Asia and pictures are twice as wide.
function lengthOf(text: string): number {
  let length = 0;
  for (const character of text) length += (character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
  return length;
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length <= NAME_MAX ? text : `${characters.slice(0, NAME_MAX - 1).join("")}…`;
}

function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
