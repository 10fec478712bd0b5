// Attack: counted repetitions of counted repetitions.
// Limits: runTimeMax=500
// Ends: call time
// Ends: call threw
// Ends: call memory
export const attack = () => {
  let found = 0;
  for (const source of [
    "((a{1,1000}){1,1000}){1,1000}b",
    "(?:a{0,4294967295}){0,4294967295}b",
    "(?:(?:){65535}){65535}a",
  ])
    found += new RegExp(source).test("a".repeat(5000)) ? 1 : 0;
  return found;
};
