// A `then` that every object has: whatever is awaited goes through it.
export const first = (secret) => {
  Object.defineProperty(Object.prototype, "then", {
    configurable: true,
    writable: true,
    enumerable: false,
    value: undefined,
  });
  globalThis.seen = [secret];
};
export const second = () =>
  [Object.hasOwn(Object.prototype, "then") ? "then" : undefined, globalThis.seen].filter(Boolean);
