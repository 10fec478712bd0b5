// Attack: async functions that await each other without end.
// Ends: call threw InternalError: stack overflow
// Ends: call threw RangeError: stack
// Ends: call memory
const down = async () => {
  await down();
};
export const attack = down;
