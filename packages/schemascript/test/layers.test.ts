// Holds the imports of the sources against their layers: a module imports from its own line's left
// only.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const SOURCES = new URL("../../src/", import.meta.url);

// What each module may import, transitively written down. `property` and `value` bring Drizzle's
// `SQL`; only `table`, `statements` and `driver` know its tables.
const BELOW: Record<string, readonly string[]> = {
  errors: [],
  "sql-text": [],
  args: [],
  decoder: [],
  storage: ["decoder", "errors", "sql-text"],
  property: ["errors", "storage"],
  field: ["errors", "storage", "property"],
  value: ["errors", "storage", "property"],
  expression: ["errors", "sql-text"],
  pattern: ["sql-text"],
  registry: ["property"],
  checks: ["expression", "pattern", "registry", "sql-text", "storage"],
  schema: ["errors", "property", "field", "registry", "outputs/methods"],
  extras: ["errors", "expression", "property", "registry", "schema", "sql-text"],
  table: [
    "checks",
    "errors",
    "expression",
    "extras",
    "known-table",
    "sql-text",
    "storage",
    "property",
    "field",
    "registry",
    "schema",
    "outputs/methods",
  ],
  search: ["errors", "registry", "sql-text", "table"],
  view: ["errors", "field", "registry", "schema", "table"],
  statement: ["errors", "registry"],
  statements: [
    "checks",
    "errors",
    "expression",
    "sql-text",
    "registry",
    "schema",
    "search",
    "statement",
    "table",
    "view",
  ],
  protocol: ["errors"],
  relations: ["errors", "property", "registry", "table"],
  "row-shape": ["decoder"],
  "row-decoder": ["decoder", "row-shape"],
  host: ["errors", "row-shape"],
  "json-host": ["host", "protocol", "row-decoder", "row-shape"],
  "statement-cache": ["decoder", "host", "row-shape"],
  scope: ["errors", "host", "known-table", "statement-cache"],
  params: ["errors"],
  prepared: ["errors", "host", "known-table", "params", "protocol", "scope", "statement-cache"],
  cursor: ["host", "params", "prepared", "scope"],
  "known-table": ["sql-text"],
  "sql-writer": ["known-table", "sql-text"],
  "query-writer": ["known-table", "sql-text", "sql-writer"],
  builders: ["host", "known-table", "params", "prepared", "protocol", "query-writer", "scope"],
  session: [
    ...["errors", "protocol", "relations", "sql-writer", "query-writer"],
    ...["host", "scope", "params", "prepared", "cursor", "builders"],
  ],
  driver: ["builders", "host", "json-host", "known-table", "relations", "scope", "session"],
  push: ["host", "protocol", "statements"],
  internal: ["args", "driver", "host", "outputs/emit", "prepared", "push", "scope", "statements"],
  index: [
    "args",
    "driver",
    "errors",
    "extras",
    "field",
    "host",
    "property",
    "relations",
    "schema",
    "search",
    "session",
    "statement",
    "statements",
    "table",
    "value",
    "view",
    "outputs/describe",
    "outputs/emit",
    "outputs/json-schema",
    "outputs/methods",
    "outputs/rules",
    "outputs/typescript",
    "outputs/validate",
  ],
};

const DRIZZLE = [
  ...["property", "value", "registry", "expression", "checks", "extras"],
  ...["table", "search", "view", "statement", "statements", "relations"],
  ...["row-shape", "statement-cache", "params", "prepared", "session", "driver"],
  ...["known-table", "sql-writer", "query-writer", "builders"],
];

function importsOf(module: string): readonly string[] {
  const source = readFileSync(new URL(`${module}.ts`, SOURCES), "utf8");
  return [
    ...source.matchAll(/^(?:import|export|\}) (?:[^;"]* )?from "([^"]+)";$|^\} from "([^"]+)";$/gm),
  ].map(([, one, several]) => (one ?? several) as string);
}

test("every module imports only the layers below it", () => {
  const modules = readdirSync(SOURCES)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => name.replace(/\.ts$/, ""));
  assert.deepEqual(modules.sort(), Object.keys(BELOW).sort());
  for (const module of modules) {
    assert.ok(
      importsOf(module).length > 0 || BELOW[module]?.length === 0,
      `${module} imports nothing`,
    );
    for (const name of importsOf(module)) {
      const own = /^\.\/(.+)\.js$/.exec(name)?.[1];
      if (own) assert.ok(BELOW[module]?.includes(own), `${module} imports ${own}`);
    }
  }
});

test("nothing is imported from outside but Drizzle, and Drizzle only where it is known", () => {
  for (const module of Object.keys(BELOW)) {
    const foreign = importsOf(module).filter((name) => !name.startsWith("./"));
    for (const name of foreign) {
      assert.match(name, /^drizzle-orm(\/sqlite-(core|proxy)|\/query-builders\/select\.types)?$/);
      assert.ok(DRIZZLE.includes(module), `${module} imports ${name}`);
    }
  }
});
