// Attack: replaces and abuses the host's own globals.
// Ends: call answered "refused"
const host = __host_sqlite;
const names = Object.getOwnPropertyNames(host);
const odd = [
  undefined,
  null,
  0,
  -1,
  1e308,
  NaN,
  2 ** 32,
  2n ** 64n,
  "x",
  Symbol.iterator,
  [],
  {},
  () => {},
  new Proxy([], {}),
  new Uint8Array(3),
  { length: 2 ** 31 },
  host,
];
export const attack = () => {
  for (const name of names) {
    for (const first of odd) {
      for (const second of odd) {
        for (const third of [undefined, 0, -1, {}, 2 ** 32 - 1]) {
          try {
            host[name](first, second, third);
          } catch {}
          try {
            host[name](host.statement("select ?"), second, third);
          } catch {}
        }
      }
    }
  }
  for (const value of odd) {
    try {
      __host_sqlite_call(value);
    } catch {}
    try {
      new host.statement(value);
    } catch {}
    try {
      host.setErrorFactory(value);
    } catch {}
  }
  Object.defineProperty(globalThis, "__host_sqlite", { value: null, configurable: true });
  return "refused";
};
