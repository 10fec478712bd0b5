// Attack: closures that keep each other.
// Limits: heapBytesMax=16000000
// Ends: call memory
export const attack = () => {
  let last = () => 0;
  for (;;) {
    const before = last;
    last = () => before;
  }
};
