// Attack: JSON.stringify of nested lists; looking for circles takes quadratic time.
// Limits: runTimeMax=400
// Ends: call time
// Ends: call threw InternalError: stack overflow
// Ends: call threw RangeError: stack
export const attack = () => {
  let list = [];
  for (let i = 0; i < 100_000; ++i) list = [list];
  return JSON.stringify(list).length;
};
