// Attack: the same with a regular expression, and a function that answers more of it.
// Ends: call memory
// Ends: call threw
export const attack = () => {
  const text = "a".repeat(1e5);
  return text.replace(/a/g, () => text);
};
