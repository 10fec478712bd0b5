// Attack: an answer of a hundred megabytes.
// Ends: call memory
// Ends: call threw
export const attack = () => new Array(100).fill("x".repeat(1e6));
