// What makes the answer of a call.
const { stringify, parse } = JSON;
export const first = (secret) => {
  Object.prototype.toJSON = () => secret;
  BigInt.prototype.toJSON = () => secret;
  JSON.stringify = () => secret;
  JSON.parse = () => secret;
  return {};
};
export const second = () =>
  JSON.stringify === stringify &&
  JSON.parse === parse &&
  {}.toJSON === undefined &&
  1n.toJSON === undefined
    ? []
    : ["patched"];
