// The outputs are made from the shapes; only the diagrams and the whole-schema texts know tables.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const SOURCES = new URL("../../../src/outputs/", import.meta.url);

const BELOW: Record<string, readonly string[]> = {
  names: [],
  rules: ["../registry", "../storage"],
  typescript: ["../registry", "names", "rules"],
  validate: ["rules"],
  "json-schema": ["../registry", "rules"],
  methods: [
    ...["../errors", "../property", "../registry"],
    ...["json-schema", "rules", "typescript", "validate"],
  ],
  graph: ["drizzle-orm", "../errors", "../property", "../registry", "../schema"],
  mermaid: ["../registry", "graph"],
  svg: ["../registry", "graph"],
  "checker-text": [],
  standalone: ["../registry", "checker-text", "names", "rules"],
  describe: [
    ...["../checks", "../expression", "../registry", "../sql-text"],
    ...["graph", "rules"],
  ],
  emit: [
    ...["../errors", "../registry", "../statements"],
    ...["describe", "json-schema", "mermaid", "standalone", "svg", "typescript"],
  ],
};

test("every output imports only the layers below it, and nothing from outside", () => {
  const modules = readdirSync(SOURCES).map((name) => name.replace(/\.ts$/, ""));
  assert.deepEqual(modules.sort(), Object.keys(BELOW).sort());
  for (const module of modules) {
    const source = readFileSync(new URL(`${module}.ts`, SOURCES), "utf8");
    for (const [, name = ""] of source.matchAll(
      /^(?:import|export|\}) (?:[^;"]* )?from "([^"]+)";$/gm,
    )) {
      const own = /^(?:\.\/|(?=\.\.\/))(.+)\.js$/.exec(name)?.[1] ?? name;
      assert.ok(BELOW[module]?.includes(own), `${module} imports ${own}`);
    }
  }
});
