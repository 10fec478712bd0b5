// structuredClone and DOMException.
import { attempt, equal, show, test, throws } from "./harness.js";

test("what can be cloned is cloned", () => {
  const shared = { deep: [1, "two", null, undefined, true, 4n, -0, NaN] };
  const values: unknown[] = [
    1,
    "text",
    null,
    undefined,
    12n,
    true,
    shared,
    [1, , 3],
    new Date(5),
    /x/gi,
    new Map<unknown, unknown>([[1, shared]]),
    new Set([1, "a"]),
    new Uint8Array([1, 2, 3]),
    new Float64Array([1.5]),
    new ArrayBuffer(3),
    new Error("e"),
    new RangeError("r"),
    new DataView(new ArrayBuffer(2)),
    Object(1),
    Object("boxed"),
    Object(false),
  ];
  for (const value of values) {
    const clone: unknown = structuredClone(value);
    show(Object.prototype.toString.call(value), clone);
    if (typeof value === "object" && value !== null) equal(clone === value, false, "identity");
  }
});

test("cycles and shared references stay", () => {
  const first: { self?: unknown; other: object } = { other: {} };
  first.self = first;
  const clone = structuredClone({ a: first, b: first.other });
  equal((clone.a as typeof first).self === clone.a, true);
  equal((clone.a as typeof first).other === clone.b, true);
});

test("what cannot be cloned is refused", () => {
  for (const value of [() => 1, Symbol("s"), { f() {} }, new WeakMap(), Promise.resolve(1)])
    throws(() => structuredClone(value), "DataCloneError");
  throws(() => (structuredClone as () => void)(), "TypeError");
});

test("a clone is plain: no prototype, no accessor, no symbol", () => {
  class Point {
    x = 1;
    get y() {
      return 2;
    }
  }
  const clone = structuredClone(Object.assign(new Point(), { [Symbol("s")]: 1 }));
  equal(Object.getPrototypeOf(clone) === Object.prototype, true);
  equal(Reflect.ownKeys(clone), ["x"]);
});

test("errors keep message and cause", () => {
  const clone = structuredClone(new TypeError("outer", { cause: { code: 5 } }));
  equal(clone instanceof TypeError, true);
  equal([clone.message, clone.cause], ["outer", { code: 5 }]);
});

test("DOMException is an Error with a legacy code", () => {
  for (const name of [
    "AbortError",
    "DataCloneError",
    "TimeoutError",
    "QuotaExceededError",
    "Unknown",
  ]) {
    const error = new DOMException("message", name);
    show(name, [
      error.name,
      error.message,
      error.code,
      String(error),
      error instanceof Error,
      Object.prototype.toString.call(error),
    ]);
  }
  show("defaults", [new DOMException().name, new DOMException().message]);
  equal(typeof new DOMException().stack, "string");
  attempt("constant", () => [DOMException.ABORT_ERR, new DOMException().DATA_CLONE_ERR]);
});
