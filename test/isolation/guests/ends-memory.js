// ends: MemoryExceeded
// worker: nothing, since a guest without memory is not used again
// A call that took all memory that there is.
const kept = [];
export const first = (secret) => {
  for (;;) kept.push(secret.repeat(1000) + kept.length, new Uint8Array(1e6));
};
export const second = () => kept.slice(0, 1);
