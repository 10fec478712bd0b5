// Attack: fill and copyWithin on something that says it is long.
// Ends: call time
// Ends: call memory
// Ends: call threw
export const attack = () => {
  Array.prototype.copyWithin.call({ length: 2 ** 50, 0: 1 }, 1, 0);
  Array.prototype.fill.call({ length: 2 ** 50 }, 1);
};
