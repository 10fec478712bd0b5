// Attack: indexOf that compares everything everywhere.
// Ends: call time
export const attack = () => "a".repeat(4e6).indexOf("a".repeat(2e6) + "b");
