// Attack: async recursion that grows the heap and not the stack.
// Limits: heapBytesMax=16000000
// Ends: call memory
const down = async () => {
  await null;
  await down();
};
export const attack = down;
