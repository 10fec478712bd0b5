// Attack: unshift and splice on sparse arrays of 2^32 - 1 elements.
// Ends: call time
export const attack = () => {
  const list = [];
  list[2 ** 32 - 3] = 1;
  list.unshift(0);
  list.splice(1, 1);
  return list.length;
};
