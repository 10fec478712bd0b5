// TypeScript interfaces of a table's rows, as text.
import type { ColumnShape, TableShape } from "../registry.js";
import { isIdentifier, keyText, typeName, UniqueNames } from "./names.js";
import { isIn, isOptionalOnInsert, valueRule, type RowKind } from "./rules.js";

/**
 * How an interface is written. `kind` is which rows it describes (`select`, where it is left out);
 * without a `name` it is called like the table, `user_roles` as `UserRoles`, with `singular` as
 * `UserRole`, and with `New` or `Changed` before it where it is one of an insert or an update.
 *
 * @example
 * ```ts
 * import { Schema, type InterfaceOptions } from "schemascript";
 *
 * const options: InterfaceOptions = { kind: "insert", singular: true, export: true };
 * const Users = Schema("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
 * console.log(Users.toTypeScriptInterface(options));
 * // export interface NewUser {
 * //   id?: number;
 * //   name: string;
 * // }
 * ```
 */
export interface InterfaceOptions {
  readonly kind?: RowKind;
  readonly name?: string;
  readonly singular?: boolean;
  readonly export?: boolean;
}

const PREFIX: Record<RowKind, string> = { select: "", insert: "New", update: "Changed" };

/** The interface of a table's rows. */
export function interfaceText(table: TableShape, options: InterfaceOptions = {}): string {
  const { kind = "select" } = options;
  const name = options.name ?? PREFIX[kind] + typeName(table.name, options);
  const members = table.columns
    .filter((column) => isIn(column, kind))
    .flatMap((column) => {
      const isOptional = kind === "update" || (kind === "insert" && isOptionalOnInsert(column));
      const one = typeText(column);
      const type = column.required || one === "unknown" ? one : `${one} | null`;
      const member = `${keyText(column.key)}${isOptional ? "?" : ""}: ${type};`;
      return [...commentText(column.description), member].map((line) => `  ${line}`);
    });
  const head = `${options.export ? "export " : ""}interface ${name} {`;
  return [...commentText(table.description), head, ...members, "}"].join("\n");
}

/** A module with the interfaces of all tables, for select and for insert. */
export function interfacesModule(
  tables: readonly TableShape[],
  options: Pick<InterfaceOptions, "singular"> = {},
): string {
  const names = new UniqueNames();
  const customs = new Map<string, string>();
  for (const { type, custom, storage } of tables.flatMap((table) => table.columns)) {
    if (type !== "custom" || !custom) continue;
    const known = custom.toDriver || custom.fromDriver ? "unknown" : STORED[storage];
    customs.set(customName(custom.name), known);
  }
  for (const name of customs.keys()) names.take(name);
  const parts = tables.flatMap((table) =>
    (["select", "insert"] as const).map((kind) => {
      const name = names.take(PREFIX[kind] + typeName(table.name, options));
      return interfaceText(table, { kind, name, export: true });
    }),
  );
  const aliases = [...customs].map(
    ([name, type]) =>
      `/** A custom type: the schema knows its name and how it is stored. */\nexport type ${name} = ${type};`,
  );
  return [MADE_BY, ...aliases, ...parts].join("\n\n") + "\n";
}

const MADE_BY = "// Made by SchemaScript from a schema; changes belong there.";

const STORED = {
  INTEGER: "number | bigint",
  REAL: "number",
  TEXT: "string",
  BLOB: "Uint8Array",
  ANY: "number | bigint | string | Uint8Array",
} as const;

const TYPES = {
  integer: "number",
  bigint: "bigint",
  real: "number",
  text: "string",
  blob: "Uint8Array",
  boolean: "boolean",
  datetime: "Date",
  node: "unknown",
} as const;

/** The type of a column's values; NULL apart. */
export function typeText(column: ColumnShape): string {
  const { array, options } = valueRule(column);
  const { type, custom } = column;
  const one =
    type === "custom"
      ? customName(custom?.name ?? "")
      : type === "enum" || type === "numbered"
        ? (options ?? []).map((option) => JSON.stringify(option)).join(" | ")
        : TYPES[type];
  if (!array) return one;
  return one.includes(" | ") ? `(${one})[]` : `${one}[]`;
}

function customName(name: string): string {
  return isIdentifier(name) ? name : typeName(name);
}

/** A description as a TSDoc comment; nothing where there is none. */
export function commentText(description: string | undefined): readonly string[] {
  if (!description) return [];
  const lines = description.replaceAll("*/", "*\\/").split(/\r\n|[\r\n\u2028\u2029]/);
  if (lines.length === 1) return [`/** ${lines[0]} */`];
  return ["/**", ...lines.map((line) => ` * ${line}`.trimEnd()), " */"];
}
