// Attack: unicode sets and properties with quantifiers, ignoring case.
// Limits: runTimeMax=300
// Ends: call time
// Ends: call threw SyntaxError
export const attack = () =>
  new RegExp("^([\\p{L}--[a-c]]|[\\p{L}&&\\p{Ll}]|d)+(?:\\p{L}+)+$", "vi").test(
    "d".repeat(60) + "1",
  );
