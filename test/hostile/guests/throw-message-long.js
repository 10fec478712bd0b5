// Attack: an error with a message of twenty megabytes.
// Ends: call threw Error: xxxx
export const attack = () => {
  throw new Error("x".repeat(2e7));
};
