// Function.prototype.call, apply and bind.
const { call, apply, bind } = Function.prototype;
export const first = (secret) => {
  const seen = (globalThis.seen = []);
  Function.prototype.call = function (self, ...values) {
    seen.push(secret);
    return apply.call(this, self, values);
  };
  Function.prototype.bind = () => () => secret;
  Function.prototype[Symbol.hasInstance];
};
export const second = () => {
  const { prototype } = Function;
  return prototype.call === call &&
    prototype.apply === apply &&
    prototype.bind === bind &&
    !globalThis.seen
    ? []
    : ["patched"];
};
