// One judgement, four judges: the validator, the emitted module, ajv with the JSON Schema, and
// SQLite with the table's constraints, over random tables and rows. SEED=... repeats a run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import {
  schemaStatements,
  Table,
  toJSONSchema,
  validate,
  type FieldBuilder,
  type Validated,
} from "schemascript";
import { databaseOver, emitSchema } from "schemascript/internal";
import { TestHost } from "../support.js";

const SEED = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
const TABLES = Number(process.env["TABLES"] ?? 60);
const ROWS = 50;

// mulberry32
let state = SEED;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (count: number) => Math.floor(random() * count);
const pick = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value;
const chance = (share: number) => random() < share;

const CHARACTERS = [
  "a",
  "b",
  "z",
  "0",
  "7",
  " ",
  "'",
  '"',
  "\\",
  "ü",
  "\u{1f600}",
  "€",
  "\u0301",
  "-",
  "]",
];
const text = (length = below(8)) => Array.from({ length }, () => pick(CHARACTERS)).join("");
const bytes = (length = below(8)) => Uint8Array.from({ length }, () => below(256));
const integer = () =>
  pick([0, 1, -1, 5, 10, 100, below(200) - 100, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);
const real = () => pick([0, 0.5, -0.5, 1e300, 5e-324, -1e-7, below(200) - 100, random() * 100]);
const bigint = () =>
  pick([
    0n,
    1n,
    -1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 53n + 1n,
    BigInt(below(4000) - 2000),
    BigInt(below(2 ** 30)) ** 2n,
  ]);
const date = () =>
  new Date(pick([0, -1, 253402300799999, -62167219200000, below(2 ** 31) * 1000 + below(1000)]));
const node = (depth = 0): unknown =>
  depth > 2 || chance(0.5)
    ? pick([1, "x", true, null, 0.5, text()])
    : chance(0.5)
      ? Array.from({ length: below(3) }, () => node(depth + 1))
      : Object.fromEntries(Array.from({ length: below(3) }, () => [text(2), node(depth + 1)]));

/** A random column: the property, values of its JavaScript type, and who cannot judge it. */
interface Column {
  readonly property: never;
  readonly value: () => unknown;
  readonly isNullable: boolean;
  readonly isJudgedBySqlite: boolean;
  readonly isJudgedByJsonSchema: boolean;
}

// Built as a program without types would: the modifiers are random.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Loose = any;

function column(prop: FieldBuilder): Column {
  let property: Loose;
  let value: () => unknown;
  let isJudgedBySqlite = true;
  let isJudgedByJsonSchema = true;
  const kind = pick([
    "integer",
    "real",
    "bigint",
    "text",
    "text",
    "blob",
    "boolean",
    "datetime",
    "node",
    "enum",
    "numbered",
    "custom",
  ]);
  const isArray = chance(0.2);
  const bounds = (least: () => unknown, fits: (one: Loose, other: Loose) => boolean) => {
    const [one, other] = [least(), least()];
    const [min, max] = fits(one, other) ? [one, other] : [other, one];
    if (chance(0.4)) property = property.min(min);
    if (chance(0.4)) property = property.max(max);
  };
  const size = () => below(6);
  const upward = (one: Loose, other: Loose) => one <= other;
  switch (kind) {
    case "integer":
      [property, value] = [prop.integer(), integer];
      if (!isArray) bounds(integer, upward);
      break;
    case "real":
      [property, value] = [prop.real(), real];
      if (!isArray) bounds(real, upward);
      break;
    case "bigint":
      [property, value] = [prop.integer({ mode: "bigint" }), bigint];
      if (!isArray) bounds(bigint, upward);
      break;
    case "text":
      [property, value] = [prop.text(), text];
      if (isArray) break;
      if (chance(0.2)) property = property.length(size());
      else bounds(size, upward);
      if (chance(0.4)) {
        const pattern = pick([
          /^a/,
          /z$/,
          /^[a-z]*$/,
          /^[^ab]+$/u,
          /b\]/,
          /^(a|b)+/,
          /A/i,
          /^.b/su,
          /7/,
        ]);
        property = property.pattern(pattern);
        isJudgedBySqlite = false; // It enforces what GLOB can say; a test of its own compares those.
        isJudgedByJsonSchema = /^u?$/.test(pattern.flags);
        value = () => pick([text(), "a", "b]", "ab7", "abz", "A", ""]);
      }
      break;
    case "blob":
      [property, value] = [prop.blob(), bytes];
      if (isArray) break;
      if (chance(0.2)) property = property.length(size());
      else bounds(size, upward);
      break;
    case "boolean":
      [property, value] = [prop.boolean(), () => chance(0.5)];
      break;
    case "datetime": {
      [property, value] = [prop.datetime(), date];
      const before = property;
      if (!isArray) bounds(date, upward);
      isJudgedByJsonSchema = property === before;
      break;
    }
    case "node":
      [property, value] = [prop.node<Loose>(), () => node() ?? 0];
      break;
    case "enum":
      [property, value] = [
        prop.enum({ options: ["a", "it's", ""] }),
        () => pick(["a", "it's", ""]),
      ];
      break;
    case "numbered":
      [property, value] = [
        prop.enum({ options: { low: -1, high: 2 } }),
        () => pick(["low", "high"]),
      ];
      break;
    default:
      [property, value] = [prop.custom<string>("label", { storage: "text" }), text];
  }
  if (isArray) {
    const one = value;
    property = property.array();
    value = () => Array.from({ length: below(5) }, one);
    bounds(size, upward);
  }
  const isNullable = chance(0.3);
  if (isNullable) property = property.optional();
  if (chance(0.2)) property = property.describe("What it is: */ \u{1f600}");
  return { property: property as never, value, isNullable, isJudgedBySqlite, isJudgedByJsonSchema };
}

/** What JSON has for a value, as the JSON Schema describes it. */
function jsonOf(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "never" : value.toISOString();
  if (Array.isArray(value)) return value.map(jsonOf);
  return value;
}

// Of another type, or almost right.
const strange = (): unknown =>
  pick<() => unknown>([
    ...[integer, real, bigint, text, bytes, date, node],
    ...[() => null, () => undefined, () => "", () => [], () => ({}), () => NaN, () => Infinity],
    ...[
      () => new Date(NaN),
      () => [null],
      () => [1, "a"],
      () => () => 1,
      () => new Map(),
      () => "a\0b",
    ],
    ...[() => 2 ** 53, () => 2n ** 63n, () => 1.5, () => "2026-02-30T00:00:00Z", () => "-0"],
    ...[
      () => "2026-11-22T12:00:00.5+05:30",
      () => "2026-11-22T12:00:60Z",
      () => "AAA=",
      () => "AA=",
      () => "012",
    ],
    ...[
      () => "2024-02-29t23:59:59z",
      () => "2026-11-22",
      () => "9223372036854775808",
      () => "-9223372036854775808",
    ],
  ])();

test(`the judges agree (SEED=${SEED})`, async () => {
  const ajv = new Ajv2020({
    strict: true,
    allowUnionTypes: true,
    allErrors: true,
    ownProperties: true,
  });
  formats.default(ajv);
  const host = new TestHost();
  const db = databaseOver(host.call)();
  const made = Array.from({ length: TABLES }, (_, index) => {
    const columns: Record<string, Column> = {};
    const table = Table(`t${index}`, (prop) => {
      for (let count = 1 + below(4); count > 0; count--) {
        columns[pick(["a", "b", "c d", "constructor", "validate", "é", "x-y"])] = column(prop);
      }
      return Object.fromEntries(
        Object.entries(columns).map(([key, { property }]) => [key, property]),
      );
    });
    return { table, columns };
  });
  for (const statement of schemaStatements(made.map(({ table }) => table)))
    host.sqlite.run(statement);
  const [emitted] = emitSchema("js");
  const code = Buffer.from(emitted?.text ?? "").toString("base64");
  const emittedModule = (await import(`data:text/javascript;base64,${code}`)) as Record<
    string,
    { validate: (input: unknown, options?: object) => Validated<unknown> }
  >;
  const counts = { accepted: 0, refused: 0, sqlite: 0, ajv: 0 };

  for (const [index, { table, columns }] of made.entries()) {
    const standard = table["~standard"];
    const isJson = ajv.compile(toJSONSchema(table, { kind: "insert" }));
    for (let count = 0; count < ROWS; count++) {
      let isTyped = true;
      const row: Record<string, unknown> = {};
      for (const [key, each] of Object.entries(columns)) {
        row[key] = each.isNullable && chance(0.1) ? null : each.value();
        if (chance(0.06)) {
          row[key] = strange();
          isTyped = false;
        } else if (chance(0.03)) delete row[key];
      }
      const hasUnknown = chance(0.04);
      if (hasUnknown) row[pick(["A", "toString", "unknown"])] = 1;
      const about = () => `SEED=${SEED}, row ${count} of ${schemaStatements([table]).join("")}`;

      const result = validate(table, row);
      const accepted = !result.issues;
      counts[accepted ? "accepted" : "refused"]++;
      assert.deepEqual(standard.validate(row), result, about());
      assert.deepEqual(emittedModule[`t${index}`]?.validate(row), result, about());

      // JSON, also of values that are not of their column's type: the same judgement.
      const json = JSON.parse(
        JSON.stringify(
          Object.fromEntries(Object.entries(row).map(([key, value]) => [key, jsonOf(value)])),
        ),
      ) as object;
      const fromJson = validate(table, json, { form: "json" });
      assert.deepEqual(
        emittedModule[`t${index}`]?.validate(json, { form: "json" }),
        fromJson,
        about(),
      );
      const given = Object.entries(columns);
      const isJudged = given.every(([, each]) => each.isJudgedByJsonSchema);
      const isSchemaValid = isJson(json);
      if (isJudged || !fromJson.issues) {
        counts.ajv++;
        assert.equal(
          isSchemaValid,
          !fromJson.issues,
          `${about()}: ${JSON.stringify({ issues: fromJson.issues, ajv: isJson.errors, json })}`,
        );
      }
      // From values to JSON and back: the same row.
      if (accepted && isTyped) assert.deepEqual(fromJson, result, about());

      if (hasUnknown) continue; // Drizzle passes over them.
      // Drizzle would find the `constructor` that every object has.
      const own = { ...Object.fromEntries(given.map(([key]) => [key, undefined])), ...row };
      const inserted = await db
        .insert(table)
        .values(own as never)
        .then(
          () => true,
          () => false,
        );
      const isSqliteSure = isTyped && given.every(([, each]) => each.isJudgedBySqlite);
      if (accepted || isSqliteSure) {
        counts.sqlite++;
        assert.equal(
          inserted,
          accepted,
          `${about()}: ${JSON.stringify(result.issues ?? row, (_, value) => (typeof value === "bigint" ? `${value}n` : value))}`,
        );
      }
    }
  }
  console.log(`SEED=${SEED}`, counts);
  assert.ok(counts.accepted > TABLES && counts.refused > TABLES);
});
