// What Date answers.
const { toISOString, getTime } = Date.prototype;
const { now, parse } = Date;
export const first = (secret) => {
  Date.now = () => secret;
  Date.parse = () => secret;
  Date.prototype.toISOString = () => secret;
  Date.prototype.getTime = () => secret;
  Date.left = secret;
};
export const second = () =>
  Date.now === now &&
  Date.parse === parse &&
  Date.prototype.toISOString === toISOString &&
  Date.prototype.getTime === getTime &&
  !Date.left
    ? []
    : ["patched"];
