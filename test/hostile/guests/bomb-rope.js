// Attack: half a million pieces of text joined from the left and the right, then flattened.
// Limits: runTimeMax=500
// Ends: call answered "done"
// Ends: call memory
// Ends: call threw
// Ends: call time
export const attack = () => {
  let text = "";
  for (let i = 0; i < 100_000; ++i) text = "a" + text + "b" + text.length;
  text.charCodeAt(text.length >> 1);
  return "done";
};
