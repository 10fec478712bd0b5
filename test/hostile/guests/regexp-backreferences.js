// Attack: backreferences, by number and name, forwards.
// Ends: call time
export const attack = () => /^(?<x>a*)(a*)(a*)(a*)\k<x>\2\3\4(a*)\5b$/.test("a".repeat(600));
