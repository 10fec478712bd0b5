// Attack: rejections that nobody handles, until memory ends.
// Limits: heapBytesMax=16000000
// Ends: call memory
export const attack = () => {
  for (;;) Promise.reject(new Error("lost"));
};
