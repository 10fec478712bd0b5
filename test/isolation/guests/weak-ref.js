// A weak reference to what nobody else holds.
let reference;
export const first = (secret) => {
  reference = new WeakRef({ secret });
};
export const second = () => (reference === undefined ? [] : ["a WeakRef"]);
