// Attack: JSON of a hundred thousand brackets, read and written.
// Ends: call answered [true,true]
const overflows = (use) => {
  try {
    use();
    return false;
  } catch (error) {
    return /stack/.test(error.message);
  }
};
export const attack = () => {
  let list = [];
  for (let i = 0; i < 20_000; ++i) list = [list];
  return [() => JSON.parse("[".repeat(200_000)), () => structuredClone(list)].map(overflows);
};
