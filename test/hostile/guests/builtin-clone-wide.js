// Attack: structuredClone of a list with four billion holes.
// Ends: call answered 4294967295
export const attack = () => structuredClone(new Array(2 ** 32 - 1)).length;
