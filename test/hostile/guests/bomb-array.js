// Attack: a list that is concatenated with itself.
// Limits: runTimeMax=5000
// Ends: call memory
export const attack = () => {
  let list = [1];
  for (;;) list = list.concat(list);
};
