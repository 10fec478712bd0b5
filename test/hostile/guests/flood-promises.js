// Attack: promises that nobody settles.
// Limits: runTimeMax=5000 heapBytesMax=16000000
// Ends: call memory
export const attack = () => {
  const all = [];
  for (;;) all.push(new Promise(() => {}).then(() => {}));
};
