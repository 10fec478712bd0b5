// Attack: a Map that grows while it is iterated, and one that is cleared in each step.
// Limits: heapBytesMax=16000000
// Ends: call memory
export const attack = () => {
  const cleared = new Map([[1, 1]]);
  let steps = 0;
  for (const [key] of cleared) {
    cleared.clear();
    if (++steps < 1000) cleared.set(key + 1, 1);
  }
  const set = new Set([0]);
  for (const value of set) set.add(value + 1);
};
