// Objects' shapes, and how full the heap is: the test compares what both calls took.
const kept = [];
export const first = (secret) => {
  for (let count = 0; count < 20000; ++count) kept.push({ [`a${count % 100}`]: secret, count });
  kept.length = 1;
};
export const second = () => {
  const all = [];
  for (let count = 0; count < 1000; ++count) all.push({ [`a${count}`]: count });
  return kept.slice(0, 1);
};
