// Attack: fills its memory, and the description of that error fills it again without a limit.
// Limits: runTimeMax=5000 heapBytesMax=16000000
// Ends: call memory
// Ends: call trapped it ran out of stack or memory
// Ends: call time
export const attack = () => {
  const kept = [];
  const fill = () => {
    for (;;) kept.push(new Uint8Array(1e6));
  };
  Object.defineProperty(Error.prototype, "name", { get: fill });
  Object.defineProperty(Object.prototype, "cause", { get: fill });
  fill();
};
