// Attack: an error whose texts are not texts.
// Ends: call threw Error
export const attack = () => {
  const error = new Error();
  Object.assign(error, {
    message: { toString: () => "x".repeat(1e8) },
    name: 1n,
    stack: [],
    code: NaN,
    violation: Symbol(),
    table: {},
    columns: { length: Infinity },
    errors: new Proxy([], { get: (t, k) => (k === "length" ? Infinity : new Error(String(k))) }),
  });
  throw error;
};
