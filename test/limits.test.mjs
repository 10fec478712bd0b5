// docs/limits.md names every limit of src/base/limits.h, in its order and with its default.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** `64ull << 20`, `30'000`: what C++ makes of it. */
function valueOf(expression) {
  const [left, shift = "0"] = expression.replaceAll("'", "").split("<<");
  return Number.parseInt(left, 10) * 2 ** Number.parseInt(shift, 10);
}

const UNITS = { s: 1000, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** `64 MiB`, `30 s`, `10,000`. */
function readDefault(text) {
  const [number, unit] = text.split(" ");
  return Number(number.replaceAll(",", "")) * (unit === undefined ? 1 : UNITS[unit]);
}

test("the table of limits is the header's", () => {
  const fields = [
    ...read("src/base/limits.h").matchAll(/^ {2}std::\S+ (\w+)(?: = |\{)([^;}]+)\}?;/gm),
  ].map(([, name, value]) => `${name} ${valueOf(value)}`);
  const rows = [
    ...read("docs/limits.md").matchAll(/^\| `(\w+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$/gm),
  ].map(([, name, value]) => `${name} ${readDefault(value)}`);
  assert.ok(fields.length > 30);
  assert.deepEqual(rows, fields);
});
