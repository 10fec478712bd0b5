// Whether a symbol is registered already shows in the description that is shared.
const kept = {};
export const first = (secret) => {
  kept[Symbol.for(secret)] = 1;
  Symbol.for("left").description;
  Symbol.left = secret;
};
export const second = () =>
  [...Object.getOwnPropertySymbols(kept).map(Symbol.keyFor), Symbol.left].filter(
    (found) => found !== undefined,
  );
