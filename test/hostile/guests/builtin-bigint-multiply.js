// Attack: multiplies numbers of a million digits.
// Ends: call time
// Ends: call memory
// Ends: call threw
export const attack = () => {
  let number = 3n ** 100_000n;
  for (;;) number = (number * number) % 7n ** 400_000n;
};
