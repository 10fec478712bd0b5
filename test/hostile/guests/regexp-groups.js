// Attack: more groups than there are numbers for, and nesting of a hundred thousand.
// Ends: call answered 4
export const attack = () => {
  let refused = 0;
  for (const source of [
    "()".repeat(300),
    "(".repeat(100_000) + ")".repeat(100_000),
    "(?:".repeat(100_000),
    "[".repeat(100_000),
  ]) {
    try {
      new RegExp(source).test("a");
    } catch {
      ++refused;
    }
  }
  return refused;
};
