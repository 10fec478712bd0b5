// Attack: alternatives that are the same.
// Ends: call time
export const attack = () => /^(a|a|aa)*$/.test("a".repeat(60) + "b");
