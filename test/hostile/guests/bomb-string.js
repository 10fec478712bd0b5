// Attack: a string that doubles.
// Limits: runTimeMax=5000
// Ends: call threw
// Ends: call memory
export const attack = () => {
  let text = "x";
  for (;;) text += text;
};
