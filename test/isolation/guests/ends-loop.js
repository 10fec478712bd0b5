// ends: TimeExceeded
// worker: nothing, since a guest that was stopped is not used again
// A call that was stopped in a loop.
let kept;
export const first = (secret) => {
  kept = secret;
  globalThis.left = secret;
  for (;;) kept = secret + kept.length;
};
export const second = () => [kept, globalThis.left].filter((found) => found !== undefined);
