// Attack: structuredClone of what never ends.
// Ends: call time
// Ends: call memory
// Ends: call threw
export const attack = () => {
  const make = () => ({
    get next() {
      return make();
    },
  });
  return structuredClone(make());
};
