// The golden messages of test/golden/, which the host's tests read, too: the JSON form as the driver writes and reads
// it, the binary form as test/binary-form.ts does, and both have to mean the same.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DatabaseError } from "schemascript";
import { decodeAnswer, encodeRequest } from "#protocol";
import { readAnswer, readRequest, writeRequest } from "./binary-form.js";

interface Golden {
  readonly name: string;
  json?: string;
  binary?: Uint8Array;
  methods: string[];
  byHand?: boolean;
}

function goldenCases(file: string): Golden[] {
  const source = readFileSync(new URL(`../../../../test/golden/${file}`, import.meta.url), "utf8");
  return source
    .split(/^== /m)
    .slice(1)
    .map((text) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1];
      const golden: Golden = {
        name: text.slice(0, text.indexOf("\n")),
        methods: field("methods")?.split(" ") ?? [],
        byHand: field("by-hand") === "yes",
      };
      const json = field("json");
      if (json !== undefined) golden.json = json;
      const binary = /^binary:\n((?: {2}.*\n?)+)/m.exec(text)?.[1];
      if (binary !== undefined) golden.binary = goldenBytes(binary);
      return golden;
    });
}

function goldenBytes(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const [, hexadecimal, quoted] of text.matchAll(/#.*|([0-9a-f]{2})|"([^"]*)"/g)) {
    if (hexadecimal !== undefined) bytes.push(parseInt(hexadecimal, 16));
    if (quoted !== undefined) bytes.push(...new TextEncoder().encode(quoted));
  }
  return Uint8Array.from(bytes);
}

/** Without the fields that are undefined, and params that are empty: both may be left out. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(plain);
  const kept = Object.entries(value).filter(
    ([name, field]) =>
      field !== undefined && !(name === "params" && Array.isArray(field) && field.length === 0),
  );
  return Object.fromEntries(kept.map(([name, field]) => [name, plain(field)]));
}

test("a request of the driver means the same in both forms", () => {
  const cases = goldenCases("requests.txt");
  assert.ok(cases.length > 20);
  for (const { name, json, binary, byHand } of cases) {
    const request = readRequest(binary!);
    if (byHand) continue;
    assert.deepEqual(writeRequest(request), binary, name);
    const encoded: unknown = JSON.parse(
      encodeRequest(request as Parameters<typeof encodeRequest>[0]),
    );
    assert.deepEqual(plain(encoded), plain(JSON.parse(json!)), name);
  }
});

test("an answer means the same in both forms", () => {
  const cases = goldenCases("answers.txt").filter(({ binary }) => binary);
  assert.ok(cases.length > 10);
  for (const { name, json, binary, methods } of cases) {
    assert.deepEqual(plain(readAnswer(binary!, methods)), plain(decodeAnswer(json!)), name);
  }
});

test("an error is answered in the JSON form and is thrown", () => {
  const errors = goldenCases("answers.txt").filter(({ json }) => json?.startsWith('{"error"'));
  assert.equal(errors.length, 2);
  for (const { name, json } of errors) {
    const { error } = JSON.parse(json!) as { error: { code: string; message: string } };
    assert.throws(
      () => decodeAnswer(json!),
      (thrown) =>
        thrown instanceof DatabaseError &&
        thrown.code === error.code &&
        thrown.message === error.message,
      name,
    );
  }
});

test("a malformed request of the binary form is refused, and so is each that is cut short", () => {
  const malformed = goldenCases("malformed.txt").filter(({ binary }) => binary);
  assert.ok(malformed.length > 10);
  for (const { name, binary } of malformed) assert.throws(() => readRequest(binary!), name);
  for (const { name, binary } of goldenCases("requests.txt")) {
    for (let size = 0; size < binary!.length; size++) {
      assert.throws(() => readRequest(binary!.subarray(0, size)), `${name}, ${size} bytes`);
    }
  }
});
