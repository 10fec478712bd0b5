// Attack: a loop without end and without a body.
// Ends: call time
export const attack = () => {
  for (;;);
};
