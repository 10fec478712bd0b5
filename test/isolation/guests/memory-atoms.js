// Names of properties live in a table of the engine's: how many there are shows in its growth, and that in the heap.
const object = {};
export const first = (secret) => {
  for (let count = 0; count < 5000; ++count) object[secret + count] = count;
};
export const second = () => Object.keys(object).slice(0, 1);
