// ends: Threw
// A call that threw after it had broken what errors are described with.
const { toString } = Object.prototype;
export const first = (secret) => {
  Object.defineProperty(Error.prototype, "stack", { get: () => secret, configurable: true });
  Object.prototype.toString = () => secret;
  Error.prepareStackTrace = () => secret;
  throw new Error(secret);
};
export const second = () =>
  Object.prototype.toString === toString && !Error.prepareStackTrace ? [] : ["patched"];
