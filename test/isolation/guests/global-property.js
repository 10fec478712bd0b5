// A property of the global object.
export const first = (secret) => {
  globalThis.left = secret;
};
export const second = () => ("left" in globalThis ? [globalThis.left] : []);
