// Attack: a function that is bound half a million times, and called.
// Ends: call threw InternalError: stack overflow
// Ends: call threw RangeError: stack
// Ends: call memory
export const attack = () => {
  let bound = () => 1;
  for (let i = 0; i < 200_000; ++i) bound = bound.bind(null);
  return bound();
};
