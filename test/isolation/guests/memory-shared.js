// worker: nothing, where there is no SharedArrayBuffer
// Memory that threads would share.
const shared =
  typeof SharedArrayBuffer === "undefined" ? undefined : new Int32Array(new SharedArrayBuffer(16));
export const first = () => {
  if (shared && typeof Atomics !== "undefined") Atomics.store(shared, 0, 42);
};
export const second = () => (shared?.[0] ? [shared[0]] : []);
