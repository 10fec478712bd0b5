// Attack: toString, valueOf and Symbol.toPrimitive that convert themselves.
// Ends: call answered [true,true,true,true]
const overflows = (use) => {
  try {
    use();
    return false;
  } catch (error) {
    return /stack/.test(error.message);
  }
};
export const attack = () => {
  const text = { toString: () => `${text}` };
  const number = { valueOf: () => +number };
  const primitive = { [Symbol.toPrimitive]: () => primitive + 1 };
  const list = [];
  for (let i = 0, inner = list; i < 200_000; ++i) inner.push((inner = []));
  return [() => `${text}`, () => +number, () => primitive * 2, () => String(list)].map(overflows);
};
