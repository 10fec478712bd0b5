// What came into ECMAScript after QuickJS 2025-04-26. Node 20 has only some of it, so these are
// assertions.
import { equal, test, throws } from "./harness.js";

// So that the file also type-checks and runs where a thing is missing: Node skips those.
const has = (object: object, name: string): boolean => name in object;
const G = globalThis as unknown as Record<string, any>;

function testIf(condition: boolean, name: string, body: () => unknown): void {
  test(name, condition ? body : () => {});
}

testIf(has(Array, "fromAsync"), "Array.fromAsync", async () => {
  async function* numbers(): AsyncGenerator<number> {
    yield 1;
    yield 2;
  }
  equal(await (Array as any).fromAsync(numbers(), (n: number) => n * 2), [2, 4]);
});

testIf(has(G, "Iterator"), "iterator helpers", () => {
  const { Iterator } = G;
  function* naturals(): Generator<number> {
    for (let n = 1; ; ++n) yield n;
  }
  const first = Iterator.from(naturals())
    .filter((n: number) => n % 2)
    .map((n: number) => n * n)
    .drop(1)
    .take(2)
    .toArray();
  equal(first, [9, 25]);
  equal([1, 2].values() instanceof Iterator, true);
  equal([...(new Map([[1, 2]]).keys() as any).flatMap((k: number) => [k, k])], [1, 1]);
});

testIf(has(Set.prototype, "union"), "set methods", () => {
  const [a, b] = [new Set([1, 2]) as any, new Set([2, 3])];
  equal(
    [a.union(b), a.intersection(b), a.difference(b), a.symmetricDifference(b)],
    [new Set([1, 2, 3]), new Set([2]), new Set([1]), new Set([1, 3])],
  );
  equal(
    [a.isSubsetOf(b), a.isSupersetOf(new Set([1])), a.isDisjointFrom(new Set([9]))],
    [false, true, true],
  );
});

testIf(has(Promise, "try"), "Promise.try", async () => {
  equal(await (Promise as any).try((a: number) => a + 1, 1), 2);
});

testIf(has(RegExp, "escape"), "RegExp.escape", () => {
  equal(new RegExp((RegExp as any).escape("a.b*")).test("a.b*"), true);
});

testIf(has(Uint8Array, "fromBase64"), "base64 and hex of bytes", () => {
  equal((Uint8Array as any).fromBase64("AQID"), new Uint8Array([1, 2, 3]));
  equal(
    [(new Uint8Array([255, 1]) as any).toHex(), (new Uint8Array([255]) as any).toBase64()],
    ["ff01", "/w=="],
  );
});

testIf(has(Error, "isError"), "Error.isError", () => {
  equal([(Error as any).isError(new TypeError()), (Error as any).isError({})], [true, false]);
});

test("using declarations dispose, in reverse", () => {
  const seen: string[] = [];
  const make = (name: string) => ({ [Symbol.dispose]: () => void seen.push(name) });
  {
    using a = make("a");
    using b = make("b");
    void [a, b];
    seen.push("body");
  }
  equal(seen, ["body", "b", "a"]);
});

test("queue and arrays of ES2023 and 2024", async () => {
  equal(
    [[3, 1].toSorted(), [1, 2].with(0, 9), [1, 2, 3].findLast((n) => n < 3)],
    [[1, 3], [9, 2], 2],
  );
  throws(() => null!["x"], "TypeError");
});
