// Attack: reads numbers of ten million digits.
// Ends: call time
// Ends: call memory
// Ends: call threw
export const attack = () => BigInt("9".repeat(1e7)) % 7n === BigInt("0x" + "f".repeat(1e7));
