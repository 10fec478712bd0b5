// ends: Threw
// A call that overflowed its stack.
let depth = 0;
export const first = (secret) => {
  ++depth;
  return first(secret) + 1;
};
export const second = () => (depth === 0 ? [] : [depth]);
