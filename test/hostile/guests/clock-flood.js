// Attack: asks for the time for ever.
// Ends: call time
export const attack = () => {
  while (performance.now() < Infinity) Date.now();
};
