// Attack: a comparator that sorts the list that is being sorted, and one that empties it.
// Ends: call threw InternalError: stack overflow
// Ends: call threw RangeError: stack
export const attack = () => {
  const shrinking = Array.from({ length: 1000 }, (_, i) => -i);
  shrinking.sort((a, b) => {
    shrinking.length = 0;
    return a - b;
  });
  const list = [3, 2, 1];
  const compare = () => list.sort(compare).length;
  return list.sort(compare).length;
};
