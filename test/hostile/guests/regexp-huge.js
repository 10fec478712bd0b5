// Attack: an expression of millions of characters.
// Limits: runTimeMax=500
// Ends: call time
// Ends: call memory
// Ends: call threw
export const attack = () => {
  const words = new RegExp(Array.from({ length: 100_000 }, (_, i) => "w" + i).join("|"));
  for (;;) words.test("w".repeat(1000));
};
