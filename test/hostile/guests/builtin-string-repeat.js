// Attack: strings as long as they may be, and searches in them.
// Limits: runTimeMax=2000
// Ends: call time
// Ends: call memory
// Ends: call threw
export const attack = () => {
  const long = "ab".repeat(1e7);
  return long.padStart(2 ** 29, "xy").split("").length + long.replaceAll("a", long).length;
};
