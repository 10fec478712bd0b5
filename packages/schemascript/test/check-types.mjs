// Writes the examples of the TSDoc comments, the README and docs/schema.md to dist/examples, and
// type-checks them, the type tests and the samples of the project's first document.
// examples.test.ts runs what this has written.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const examples = join(root, "dist", "examples");

rmSync(examples, { recursive: true, force: true });
mkdirSync(examples, { recursive: true });

const sources = readdirSync(join(root, "src"), { recursive: true })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join(root, "src", name));
let count = 0;
const pages = [join(root, "README.md"), join(root, "..", "..", "docs", "schema.md")];
for (const source of [...sources, ...pages]) {
  const blocks = readFileSync(source, "utf8").matchAll(/^( \* )?```ts\n(.*?)^( \* )?```/gms);
  let index = 0;
  for (const [, , block] of blocks) {
    const text = block.replaceAll(/^ \* ?/gm, "");
    const name = relative(root, source).replaceAll(/\W+/g, "-");
    writeFileSync(
      join(examples, `${name}-${++index}.ts`),
      text.includes("import") ? text : `${text}\nexport {};\n`,
    );
    count++;
  }
}
if (count === 0) throw new Error("no example was found");

// A package of its own beside this one, as a user's would be.
const consumer = join(root, "dist", "consumer");
rmSync(consumer, { recursive: true, force: true });
cpSync(join(here, "consumer"), consumer, { recursive: true });
mkdirSync(join(consumer, "node_modules"));
symlinkSync(root, join(consumer, "node_modules", "schemascript"), "dir");
writeFileSync(join(consumer, "package.json"), '{ "name": "consumer", "type": "module" }\n');

const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
const check = (project) =>
  spawnSync(process.execPath, [join(dirname(compiler), "bin", "tsc"), "-p", project], {
    stdio: "inherit",
  }).status === 0;

const passed = [join(here, "tsconfig.types.json"), consumer].map(check);
rmSync(consumer, { recursive: true, force: true });
if (passed.every(Boolean)) {
  console.log(`types: ${count} examples, the type tests and the seed's samples compile`);
} else {
  process.exitCode = 1;
}
