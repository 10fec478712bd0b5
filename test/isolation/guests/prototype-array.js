// The methods of arrays.
const { push, map, join } = Array.prototype;
export const first = (secret) => {
  Array.prototype.map = function () {
    return secret;
  };
  Array.prototype.join = () => secret;
  Array.prototype.left = secret;
  Array.prototype[0] = secret;
};
export const second = () => {
  const found = [];
  if (Array.prototype.push !== push || Array.prototype.map !== map || Array.prototype.join !== join)
    found.push("method");
  if ([].left !== undefined) found.push("left");
  if (0 in Array.prototype) found.push("0");
  return found;
};
