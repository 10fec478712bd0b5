// Attack: a list that is concatenated with itself.
// Ends: call memory
export const attack = () => {
  let list = [1];
  for (;;) list = list.concat(list);
};
