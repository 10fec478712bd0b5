// Attack: nested quantifiers.
// Ends: call time
export const attack = () => /^(a+)+$/.test("a".repeat(50) + "b");
