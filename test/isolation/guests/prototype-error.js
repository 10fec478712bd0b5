// What an error tells.
export const first = (secret) => {
  Error.prototype.message = secret;
  Error.prototype.name = secret;
  Error.prototype.toString = () => secret;
  TypeError.prototype.left = secret;
};
export const second = () =>
  [
    new Error().message,
    new TypeError().left,
    new Error("x").toString() === "Error: x" ? "" : "toString",
  ].filter(Boolean);
