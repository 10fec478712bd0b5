// A getter that remembers who asked.
export const first = (secret) => {
  let asked = 0;
  Object.defineProperty(globalThis, "left", {
    configurable: true,
    get: () => `${secret} ${++asked}`,
  });
};
export const second = () => (globalThis.left === undefined ? [] : [globalThis.left]);
