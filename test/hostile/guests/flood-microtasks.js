// Attack: every microtask makes two.
// Limits: heapBytesMax=16000000
// Ends: call memory
const more = () => {
  queueMicrotask(more);
  queueMicrotask(more);
};
export const attack = () => new Promise(more);
