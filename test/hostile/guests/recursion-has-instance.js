// Attack: Symbol.hasInstance, Symbol.species and Symbol.isConcatSpreadable that ask again.
// Ends: call answered [true,true,true]
const overflows = (use) => {
  try {
    use();
    return false;
  } catch (error) {
    return /stack/.test(error.message);
  }
};
export const attack = () => {
  const Kind = { [Symbol.hasInstance]: (value) => value instanceof Kind };
  const list = [1];
  list.constructor = {
    get [Symbol.species]() {
      return list.map((x) => x);
    },
  };
  const spread = [1];
  Object.defineProperty(spread, Symbol.isConcatSpreadable, { get: () => spread.concat(spread) });
  return [() => ({}) instanceof Kind, () => list.map((x) => x), () => spread.concat(1)].map(
    overflows,
  );
};
