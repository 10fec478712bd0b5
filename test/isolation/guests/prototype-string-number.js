// Primitives' prototypes.
export const first = (secret) => {
  for (const one of [String, Number, Boolean, Symbol, BigInt]) one.prototype.left = secret;
  String.prototype.toUpperCase = () => secret;
};
export const second = () =>
  [
    "".left,
    (0).left,
    true.left,
    Symbol.iterator.left,
    0n.left,
    "a".toUpperCase() === "A" ? undefined : "upper",
  ].filter((found) => found !== undefined);
