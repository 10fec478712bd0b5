// Attack: reverses a proxy of endless length.
// Ends: call time
export const attack = () =>
  Array.prototype.reverse.call(
    new Proxy(
      {},
      {
        get: (t, k) => (k === "length" ? 2 ** 53 - 1 : 1),
        set: () => true,
        has: () => true,
        deleteProperty: () => true,
      },
    ),
  );
