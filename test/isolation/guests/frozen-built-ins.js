// Built-in objects that nobody can change any more.
const all = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  Promise.prototype,
  String.prototype,
  Math,
  JSON,
  Reflect,
  globalThis,
];
export const first = () => {
  for (const one of all.slice(0, -1)) Object.freeze(one);
  Object.preventExtensions(globalThis);
};
export const second = () =>
  all
    .map((one, index) => (Object.isExtensible(one) ? undefined : index))
    .filter((found) => found !== undefined);
