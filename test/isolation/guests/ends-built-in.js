// ends: TimeExceeded
// worker: nothing, since a guest that was stopped is not used again
// A call that lost its memory in a built-in function.
let kept;
export const first = (secret) => {
  kept = secret;
  globalThis.left = secret;
  return (new Array(3e7) + "").length;
};
export const second = () => [kept, globalThis.left].filter((found) => found !== undefined);
