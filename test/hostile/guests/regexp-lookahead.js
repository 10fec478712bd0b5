// Attack: lookaheads in each other, at each place.
// Ends: call time
export const attack = () => /(?=(a*)*(?!(b*)*c)(a+)+d)/.test("a".repeat(60));
