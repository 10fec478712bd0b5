// Attack: a sticky global expression that matches nothing, at each place of a long text.
// Ends: call time
export const attack = () => {
  const all = /(?:)|(a*)*$/gy;
  const text = "a".repeat(1e6);
  for (;;) text.replace(all, "");
};
