// Object.prototype: what every object answers.
export const first = (secret) => {
  Object.prototype.left = secret;
  Object.prototype.toString = () => secret;
  Object.prototype.hasOwnProperty = () => true;
};
export const second = () =>
  [{}.left, `${{}}` === "[object Object]" ? undefined : `${{}}`].filter(
    (found) => found !== undefined,
  );
