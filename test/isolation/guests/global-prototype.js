// What the global object inherits from.
export const first = (secret) => {
  Object.setPrototypeOf(
    Object.getPrototypeOf(globalThis) === Object.prototype
      ? globalThis
      : Object.getPrototypeOf(globalThis),
    { inherited: secret },
  );
};
export const second = () => ("inherited" in globalThis ? [globalThis.inherited] : []);
