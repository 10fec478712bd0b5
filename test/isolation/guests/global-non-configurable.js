// What JavaScript itself could not take away again.
export const first = (secret) => {
  Object.defineProperty(globalThis, "left", {
    value: secret,
    writable: false,
    configurable: false,
  });
  Object.defineProperty(Object.prototype, "left", {
    value: secret,
    writable: false,
    configurable: false,
  });
};
export const second = () => [globalThis.left, {}.left].filter((found) => found !== undefined);
