// What `instanceof` asks.
export const first = () => {
  Object.defineProperty(Array, Symbol.hasInstance, { value: () => true, configurable: true });
  Object.defineProperty(Error, Symbol.hasInstance, { value: () => true });
};
export const second = () => [1 instanceof Array, 1 instanceof Error].filter(Boolean);
