// ends: Threw
// A call that threw.
let kept;
export const first = (secret) => {
  kept = secret;
  globalThis.left = secret;
  throw new Error(secret, { cause: new Error(secret) });
};
export const second = () => [kept, globalThis.left].filter((found) => found !== undefined);
