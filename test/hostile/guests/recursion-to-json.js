// Attack: toJSON that stringifies itself, and a reviver that parses again.
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
  const self = { toJSON: () => JSON.stringify(self) };
  const reviver = () => JSON.parse("[1]", reviver);
  return [() => JSON.stringify(self), () => JSON.parse("[1]", reviver)].map(overflows);
};
