// Patterns against SQLite itself: where GLOB speaks for a regular expression, both agree on every
// text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { schemaStatements, Table } from "schemascript";
import { TestHost } from "./support.js";

const { sqlite } = new TestHost();
sqlite.run("CREATE TABLE t (x TEXT)");

function conditionOf(pattern: RegExp): string | undefined {
  const table = Table("p", (prop) => ({ x: prop.text().pattern(pattern) }));
  return /CONSTRAINT "p_x_pattern" CHECK \((.+)\)\n/.exec(schemaStatements([table])[0] ?? "")?.[1];
}

function agrees(pattern: RegExp, condition: string, text: string): void {
  const statement = sqlite.prepare(`SELECT ${condition} FROM (SELECT ? AS x)`);
  statement.bind([text]);
  statement.step();
  const [holds] = statement.get(null, { useBigInt: false }) as [number];
  statement.free();
  const isMatch = pattern.test(text) && !text.includes("\0");
  assert.equal(holds === 1, isMatch, `${pattern} ${JSON.stringify(text)}: ${condition}`);
}

const EXPRESSED = [
  ...[
    /^abc$/,
    /^abc/,
    /abc$/,
    /abc/,
    /^[a-z]+$/,
    /^[a-z0-9_-]{2,4}$/,
    /^\d{3}-\d{2}$/,
    /^$/,
    /^\w*$/,
  ],
  ...[/^[^a-c]{2}$/u, /^.{2}b$/su, /^a.*b$/su, /^[\]^a-]+$/, /^\^\*\?\[$/, /^[-a]b$/, /^x[\]]$/],
  ...[/^[\d_]+$/, /^#[0-9a-fA-F]{6}$/, /^é+$/, /^a{0,2}$/, /^[*?[]$/, /^\]a$/, /^[a\]]b/, /^b?$/],
];
const LEFT = [
  ...[/^a|b$/, /^(ab)+$/, /^[a-z]+@[a-z]+$/, /a/i, /^a/m, /\bword/, /^.{2}$/, /^[^a]$/, /^a+?$/],
  ...[/^😀$/u, /^[😀]$/u, /^\s$/, /^a?b$/, /(?=a)b/, /^\p{L}+$/u, /^a{2000}$/, /^[\d-z]$/],
  ...[/^\x41$/, /^[\b]$/, /^[^]$/, /^[]$/],
];

test("what GLOB can say is a CHECK constraint that says the same", () => {
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const letters = [..."abcdxyzABZ0159_-^]*?[#é\n\0😀"];
  for (const pattern of EXPRESSED) {
    const condition = conditionOf(pattern);
    assert.ok(condition, `${pattern} is expressed`);
    for (const text of [
      "",
      "abc",
      "123-45",
      "#00ffAA",
      "aab",
      "^*?[",
      "x]",
      "éé",
      "]a",
      "zzb",
      "a\nb",
    ]) {
      agrees(pattern, condition, text);
    }
    for (let round = 0; round < 300; round++) {
      const length = random(6);
      agrees(
        pattern,
        condition,
        Array.from({ length }, () => letters[random(letters.length)]).join(""),
      );
    }
  }
});

test("what GLOB cannot say exactly is no constraint", () => {
  for (const pattern of LEFT) assert.equal(conditionOf(pattern), undefined, String(pattern));
});
