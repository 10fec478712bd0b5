// Attack: Array.prototype's functions on something that says it has 2^53 - 1 elements.
// Ends: call time
export const attack = () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
