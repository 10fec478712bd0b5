// Typed arrays' hidden base, and what makes copies of them.
const base = Object.getPrototypeOf(Uint8Array);
const { set, slice } = base.prototype;
const species = Object.getOwnPropertyDescriptor(base, Symbol.species).get;
export const first = (secret) => {
  base.prototype.set = () => secret;
  base.prototype.slice = () => secret;
  Object.defineProperty(base, Symbol.species, { get: () => Float64Array, configurable: true });
};
export const second = () =>
  base.prototype.set === set &&
  base.prototype.slice === slice &&
  Object.getOwnPropertyDescriptor(base, Symbol.species).get === species
    ? []
    : ["patched"];
