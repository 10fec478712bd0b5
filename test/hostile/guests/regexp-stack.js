// Attack: a match that keeps a state for each character of a long text.
// Limits: runTimeMax=5000
// Ends: call answered "done"
// Ends: call memory
// Ends: call threw
// Ends: call time
export const attack = () => {
  /^(?:(a)|b)*$/.test("ab".repeat(5e6));
  return "done";
};
