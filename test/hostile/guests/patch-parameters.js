// Attack: parameters whose lists, texts and bytes change while they are read.
// Ends: call answered "survived"
const host = __host_sqlite;
export const attack = () => {
  const statement = host.statement("select ?, ?, ?");
  const bytes = new Uint8Array(1e6);
  const lists = [
    new Proxy([1, 2, 3], {
      get(t, k) {
        if (k === "1") structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
        return t[k];
      },
    }),
    Object.defineProperty([bytes, 2, 3], 1, {
      get() {
        try {
          structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
        } catch {}
        return 1;
      },
    }),
    Object.defineProperty([1, 2, 3], 1, {
      get() {
        host.values(statement, [1, 2, 3], 0);
        return 1;
      },
    }),
    Object.defineProperty([1, 2, 3], 0, {
      get() {
        this.length = 0;
        return 1;
      },
    }),
    { length: 3, 0: 1, 1: 2, 2: 3 },
    { length: 2 ** 32 - 1 },
    {
      get length() {
        throw new Error("length");
      },
    },
    [, , ,],
    ["\ud800", 2n ** 63n, -(2n ** 63n) - 1n],
    new Array(100_000).fill(1),
    [NaN, Infinity, -0],
    [{}, [], () => {}],
    [new Uint8Array(bytes.buffer, 0, 0), new DataView(new ArrayBuffer(1)), new Float64Array(2)],
  ];
  for (const list of lists) {
    for (const method of ["run", "all", "values", "get", "iterate"]) {
      try {
        host[method](statement, list, 0);
      } catch {}
    }
    try {
      host.batch(
        [
          [statement, 0, list],
          [statement, 9, list],
        ],
        0,
      );
    } catch {}
  }
  return "survived";
};
