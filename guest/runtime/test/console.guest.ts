// console, as bytes: the runner compares all of what is printed with what Node prints.
import { test } from "./harness.js";

class Point {
  x = 1;
  #hidden = 2;
  get sum(): number {
    return this.x + this.#hidden;
  }
}
class Sub extends Map<unknown, unknown> {}
const cyclic: Record<string, unknown> = { name: "c" };
cyclic["self"] = cyclic;
const long = Array.from({ length: 120 }, (_, index) => index);

const VALUES: readonly unknown[] = [
  1,
  -0,
  NaN,
  12n,
  "text",
  "it's",
  true,
  null,
  undefined,
  Symbol("s"),
  [1, "two", , 3],
  [[[[1]]]],
  {},
  { a: 1, "b c": { d: { e: { f: 1 } } } },
  long,
  new Map<unknown, unknown>([
    ["k", { v: 1 }],
    [{}, []],
  ]),
  new Set([1, "a"]),
  new Point(),
  Point,
  Sub,
  new Sub([[1, 2]]),
  cyclic,
  () => 1,
  function named() {},
  async () => {},
  function* g() {},
  class {},
  new Date(0),
  new Date(NaN),
  /re/gi,
  new Uint8Array([1, 2]),
  new Float64Array(2),
  Object.create(null),
  Object.create({ inherited: 1 }),
  new WeakMap(),
  Object(1),
  Object("s"),
  [undefined, null],
  {
    get a() {
      return 1;
    },
    set b(_: number) {},
  },
  "x".repeat(20_000),
  ["x".repeat(200)],
  { s: "multi\nline" },
  Array.from({ length: 30 }, () => "some words here"),
  { f() {}, async g() {}, h: class H {} },
  Object.assign(() => {}, { p: 1 }),
  new URL("https://u@x:1/p?q#h"),
  new URLSearchParams("a=1&b=2"),
  { url: new URL("https://x/") },
  [new Point()],
  Object.freeze([1]),
  new Array(5),
  -1.5e300,
];

test("values print as in Node", () => {
  for (const value of VALUES) console.log(value);
  for (const value of VALUES) console.log("nested", { value }, [value]);
});

test("formats", () => {
  console.log("%s|%s|%s|%s|%s", "a", 1, 2n, { a: { b: {} } }, null);
  console.log("%d|%d|%i|%f|%d", 1.5, "2", 3.9, "4.5x", 5n);
  console.log(
    "%j|%o|%O|%c|%%|%x",
    { a: 1 },
    [1, { b: 2 }],
    { c: { d: { e: { f: 1 } } } },
    "css",
    "rest",
  );
  console.log("%s", Symbol("x"), "more", 1, { a: 1 });
  console.log("100%", "x");
  console.log("%s");
  console.log();
  console.log("a\nb", "c");
  console.info("info %s", 1);
  console.debug("debug");
});

test("groups indent every line", () => {
  console.group("outer");
  console.log("one\ntwo");
  console.group();
  console.log({ a: 1 });
  console.groupEnd();
  console.groupCollapsed("collapsed");
  console.table([{ a: 1 }]);
  console.groupEnd();
  console.groupEnd();
  console.groupEnd();
  console.log("outside");
});

test("tables", () => {
  console.table([
    { a: 1, b: "x" },
    { a: 2, c: true },
  ]);
  console.table([
    [1, 2],
    [3, 4],
  ]);
  console.table([1, "two", null]);
  console.table({ r1: { c: 1 }, r2: { c: "é世界" } });
  console.table([{ a: 1, b: 2 }], ["b"]);
  console.table([{ a: 1, b: 2 }], ["b", "missing"]);
  console.table(
    new Map<unknown, unknown>([
      ["k", 1],
      ["l", { m: 2 }],
    ]),
  );
  console.table(new Set([1, "b"]));
  console.table([{ nested: { deep: 1 }, list: [1, 2] }, { nested: { a: 1, b: 2, c: 3 } }]);
  console.table([1, { a: 2 }]);
  console.table([]);
  console.table("not a table");
  console.table(null);
});

test("counts", () => {
  console.count();
  console.count();
  console.count("label");
  console.countReset();
  console.count();
});

test("dir", () => {
  console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 });
  console.dir({ a: { b: { c: { d: 1 } } } }, { depth: null });
  console.dir({ a: 1 });
});

test("assert is silent when all is well", () => {
  console.assert(true, "not printed");
});
