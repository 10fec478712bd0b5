// Attack: a power of two million digits, and its text.
// Ends: call time
// Ends: call memory
// Ends: call threw
export const attack = () => (7n ** 3_000_000n).toString().length;
