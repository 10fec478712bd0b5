// Attack: promises that nobody settles.
// Limits: heapBytesMax=16000000
// Ends: call memory
export const attack = () => {
  const all = [];
  for (;;) all.push(new Promise(() => {}).then(() => {}));
};
