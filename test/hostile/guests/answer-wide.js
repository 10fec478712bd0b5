// Attack: an answer with a proxy of endless length.
// Ends: call time
// Ends: call memory
export const attack = () =>
  new Proxy([], { get: (t, k) => (k === "length" ? 2 ** 53 - 1 : undefined) });
