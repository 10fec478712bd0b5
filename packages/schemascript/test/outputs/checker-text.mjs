// Writes src/outputs/checker-text.ts: the validator as the text that the emitted module holds. Run
// it after validate.ts was changed; a test says when it is needed.
import { readFileSync, writeFileSync } from "node:fs";
import { transformSync } from "esbuild";

const sources = new URL("../../src/outputs/", import.meta.url);

export function checkerText() {
  const source = readFileSync(new URL("validate.ts", sources), "utf8");
  const { code } = transformSync(source, { loader: "ts", format: "esm", target: "es2022" });
  const plain = code.replace(/^export \{[^}]*\};?$/m, "").trimEnd();
  const lines = plain.split("\n").map((line) => `  ${JSON.stringify(line)},\n`);
  const head = "// Written by test/outputs/checker-text.mjs from validate.ts; do not edit.\n";
  return `${head}// prettier-ignore\nexport const CHECKER: string = [\n${lines.join("")}].join("\\n");\n`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  writeFileSync(new URL("checker-text.ts", sources), checkerText());
}
