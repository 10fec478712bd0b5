// Attack: bound functions that hand on more arguments than the stack has room for.
// Ends: call threw InternalError
// Ends: call threw RangeError
// Ends: call trapped it ran out of stack or memory
export const attack = () => {
  const many = new Array(60_000).fill(1);
  let bound = (...all) => all.length;
  for (let i = 0; i < 50; ++i) bound = bound.bind(null, ...many);
  return bound();
};
