// Attack: flat without depth on a list that holds itself.
// Ends: call threw InternalError: stack overflow
// Ends: call threw RangeError: stack
// Ends: call time
// Ends: call memory
export const attack = () => {
  const list = [];
  list.push(list, list);
  return list.flat(Infinity).length;
};
