// Runs every example of the documentation, each as a program of its own with an empty database.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { TestHost } from "./support.js";

const EXAMPLES = new URL("../examples/", import.meta.url);

const SOURCES = new URL("../../src/", import.meta.url);

test("every export has a sentence and an example", () => {
  const index = readFileSync(new URL("index.ts", SOURCES), "utf8");
  const exported = [...index.matchAll(/export (?:type )?\{([^}]+)\} from "\.\/(.+?)\.js"/g)];
  assert.ok(exported.length > 5);
  for (const [, names = "", module] of exported) {
    const source = readFileSync(new URL(`${module}.ts`, SOURCES), "utf8");
    for (const name of names.split(",").flatMap((each) => /\w+$/.exec(each.trim()) ?? [])) {
      const declaration = new RegExp(
        `^export (?:class|function|const|let|type|interface) ${name}\\b`,
        "m",
      );
      const before = source.slice(0, source.search(declaration));
      const comment = before.slice(before.lastIndexOf("/**"));
      assert.match(comment, /@example[^]*\*\/\n$/, `${name} of ${module}.ts`);
    }
  }
});

for (const name of readdirSync(EXAMPLES).filter((name) => name.endsWith(".ts"))) {
  test(name, async (t) => {
    t.mock.method(console, "log", () => {});
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL(name, EXAMPLES))],
      bundle: true,
      format: "esm",
      platform: "neutral",
      write: false,
    });
    Reflect.set(globalThis, "__host_sqlite_call", new TestHost().call);
    const code = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
    await import(`data:text/javascript;base64,${code}`);
  });
}
