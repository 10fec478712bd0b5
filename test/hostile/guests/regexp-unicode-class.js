// Attack: many classes of half of Unicode, which have to be made.
// Limits: runTimeMax=1000
// Ends: call time
// Ends: call memory
// Ends: call threw
// Ends: call answered false
export const attack = () =>
  new RegExp("[^\\p{L}\\P{Lu}\\u{10000}-\\u{10ffff}]".repeat(2000), "ui").test("a");
