// A property of the global object that only who knows the symbol finds.
const key = Symbol("left");
export const first = (secret) => {
  globalThis[key] = secret;
  globalThis[Symbol.for("left")] = secret;
};
export const second = () =>
  [globalThis[key], globalThis[Symbol.for("left")]].filter((found) => found !== undefined);
