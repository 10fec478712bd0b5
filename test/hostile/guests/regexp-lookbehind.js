// Attack: nested quantifiers in a lookbehind.
// Ends: call time
export const attack = () => /(?<=x(a+)+)b$/.test("a".repeat(50) + "b");
