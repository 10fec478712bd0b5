// Attack: waits where nobody wakes it, and shares memory with nobody.
// Ends: call answered "refused"
// Ends: call time
// Ends: call threw
export const attack = () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  try {
    Atomics.wait(words, 0, 0);
  } catch {
    return "refused";
  }
};
