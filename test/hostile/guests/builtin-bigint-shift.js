// Attack: shifts by more than there are bits.
// Limits: runTimeMax=1000
// Ends: call threw
// Ends: call memory
// Ends: call time
export const attack = () => {
  let failures = 0;
  for (const shift of [1n << 30n, 1n << 31n, 1n << 40n, 1n << 64n, 1n << 100n]) {
    try {
      (1n << shift) * 2n;
    } catch {
      ++failures;
    }
  }
  if (failures < 4) return failures;
  throw new RangeError("refused");
};
