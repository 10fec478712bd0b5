// Attack: a comparator without order over many elements, then one that grows what it sorts.
// Limits: runTimeMax=500
// Ends: call time
// Ends: call memory
export const attack = () => {
  const list = Array.from({ length: 1000 }, (_, i) => i);
  list.sort(() => {
    list.push(1);
    return -1;
  });
  const wide = new Array(5e6).fill(1);
  wide.sort(() => (wide.length % 2 ? 1 : -1));
  return new Float64Array(1e6).map((_, i) => -i).sort((a, b) => NaN).length;
};
