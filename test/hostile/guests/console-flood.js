// Attack: writes to the console for ever.
// Ends: call time
export const attack = () => {
  const line = "x".repeat(100_000);
  for (;;) console.log(line);
};
