// The bytes that pass between guest and host, in their JSON form.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAnswer, encodeRequest } from "#protocol";

const encoded = (...params: unknown[]): unknown =>
  (JSON.parse(encodeRequest({ method: "all", sql: "x", params })) as { params: unknown }).params;

test("a request holds what it needs and nothing else", () => {
  assert.equal(
    encodeRequest({ method: "all", sql: "select ?", params: [7, "a", null, true, 0.5] }),
    '{"method":"all","sql":"select ?","params":[7,"a",null,true,0.5]}',
  );
  assert.equal(
    encodeRequest({ method: "commit", transaction: 1 }),
    '{"method":"commit","transaction":1}',
  );
});

test("parameters that JSON cannot hold are tagged", () => {
  assert.deepEqual(encoded(2n ** 63n - 1n, 0n), [{ $int: "9223372036854775807" }, { $int: "0" }]);
  assert.deepEqual(encoded(-0, Infinity, -Infinity, NaN), [
    { $real: "-0" },
    { $real: "Infinity" },
    { $real: "-Infinity" },
    { $real: "NaN" },
  ]);
  assert.deepEqual(encoded(new Uint8Array()), [{ $blob: "" }]);
  for (let length = 1; length < 10; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => 250 + index);
    assert.deepEqual(encoded(bytes), [{ $blob: Buffer.from(bytes).toString("base64") }]);
  }
});

test("a parameter without a value of SQLite's is refused by its place", () => {
  const refused = (value: unknown) => () => encoded(1, value);
  assert.throws(refused(undefined), {
    code: "invalid-request",
    message: "parameter 2 is undefined: SQLite has no value for it",
  });
  assert.throws(refused({ a: "secret" }), {
    message: "parameter 2 is of type object: SQLite has no value for it",
  });
  assert.throws(refused(new Date()), {
    message: "parameter 2 is a Date (bind its getTime()): SQLite has no value for it",
  });
  assert.throws(refused(Symbol("a")), { code: "invalid-request" });
});

test("an answer's tags become values, and text that looks like one stays text", () => {
  const { rows } = decodeAnswer(
    '{"rows":[[{"$int": "-9223372036854775808"},{"$real":"-Infinity"},{"$blob":"AP8="},{"$text":"/w=="},"{\\"$int\\":\\"1\\"}","$",1.0]]}',
  );
  assert.deepEqual(rows, [
    [
      -(2n ** 63n),
      -Infinity,
      new Uint8Array([0, 255]),
      new Uint8Array([255]),
      '{"$int":"1"}',
      "$",
      1,
    ],
  ]);
  assert.equal(
    decodeAnswer('{"rows":[["$"]],"lastInsertRowid":{"$int":"9007199254740993"}}').lastInsertRowid,
    9007199254740993n,
  );
  for (let length = 0; length < 10; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => 250 + index);
    const text = JSON.stringify({ rows: [{ $blob: Buffer.from(bytes).toString("base64") }] });
    assert.deepEqual(decodeAnswer(text).rows, [bytes]);
  }
});

test("a missing row is undefined", () => {
  assert.equal(decodeAnswer('{"rows":null}').rows, undefined);
  assert.equal(
    decodeAnswer('{"rows":null,"lastInsertRowid":{"$int":"9007199254740993"}}').rows,
    undefined,
  );
});

test("batches and cursors: parameters and rows of each statement are values", () => {
  assert.equal(
    encodeRequest({
      method: "batch",
      steps: [
        { method: "run", sql: "x", params: [1n] },
        { method: "get", sql: "y", params: ["a"] },
      ],
      transaction: 2,
    }),
    '{"method":"batch","steps":[{"method":"run","sql":"x","params":[{"$int":"1"}]},{"method":"get","sql":"y","params":["a"]}],"transaction":2}',
  );
  assert.equal(encodeRequest({ method: "fetch", cursor: 3 }), '{"method":"fetch","cursor":3}');
  assert.throws(
    () =>
      encodeRequest({ method: "batch", steps: [{ method: "run", sql: "x", params: [undefined] }] }),
    { message: "parameter 1 is undefined: SQLite has no value for it", step: 1 },
  );
  assert.deepEqual(
    decodeAnswer(
      '{"results":[{"rows":[[{"$int":"9007199254740993"}]],"changes":0,"lastInsertRowid":0},{"rows":null}]}',
    ).results,
    [
      { rows: [[9007199254740993n]], changes: 0, lastInsertRowid: 0 },
      { rows: undefined, lastInsertRowid: undefined },
    ],
  );
  assert.deepEqual(decodeAnswer('{"rows":[[1]],"cursor":3}'), { rows: [[1]], cursor: 3 });
});
