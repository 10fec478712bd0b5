// Attack: throws everything that can be thrown, and is described for each.
// Ends: call answered "thrown"
export const attack = async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const values = [
    undefined,
    null,
    0,
    -0,
    NaN,
    1n,
    "",
    "text",
    Symbol("s"),
    Symbol.iterator,
    () => {},
    class {},
    proxy,
    new Proxy({}, {}),
    Object.create(null),
    [],
    new Array(1e6),
    new Map(),
    new Proxy(function () {}, {
      get: () => {
        throw 1;
      },
    }),
    globalThis,
  ];
  for (const value of values) {
    try {
      throw value;
    } catch (caught) {
      try {
        console.error(caught);
      } catch {}
      await Promise.reject(caught).catch(() => {});
    }
  }
  return "thrown";
};
