// Attack: prints what is huge, deep, cyclic and hostile.
// Limits: runTimeMax=1500
// Ends: call answered "printed"
// Ends: call time
export const attack = () => {
  let deep = {};
  for (let i = 0; i < 2_000; ++i) deep = { deep };
  const cyclic = [];
  cyclic.push(cyclic, new Map([[cyclic, new Set([cyclic])]]));
  const values = [
    deep,
    cyclic,
    "x".repeat(1e5),
    new Array(1e5).fill(0),
    new Uint8Array(1e6),
    Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [i + "k", i])),
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("ownKeys");
        },
      },
    ),
    new Proxy(new Proxy([], {}), {}),
    {
      get a() {
        throw new Error("getter");
      },
    },
    { [Symbol.toStringTag]: "x".repeat(1e5) },
    Object.create(new Proxy({}, {})),
    {
      [Symbol.for("nodejs.util.inspect.custom")]: () => ({
        [Symbol.for("nodejs.util.inspect.custom")]: () => {
          throw new Error("custom");
        },
      }),
    },
    class A {
      static [Symbol.hasInstance]() {
        throw new Error("hasInstance");
      }
    },
    new Date(NaN),
    Object.defineProperty(() => {}, "name", { value: 1 }),
  ];
  for (const value of values) {
    for (const print of [
      console.log,
      console.error,
      console.dir,
      console.table,
      console.trace,
      console.debug,
    ]) {
      try {
        print?.(value, "%s %o %O %d %j %c %%", value, value, value);
      } catch {}
    }
  }
  return "printed";
};
