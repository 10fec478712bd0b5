// Attack: a string that doubles.
// Ends: call threw
// Ends: call memory
export const attack = () => {
  let text = "x";
  for (;;) text += text;
};
