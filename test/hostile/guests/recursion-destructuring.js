// Attack: destructuring, defaults and spread that begin again.
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
  const byDefault = ({ a = byDefault({}) } = {}) => a;
  const source = {
    get a() {
      const { a } = source;
      return a;
    },
  };
  const spread = {
    get a() {
      return { ...spread };
    },
  };
  return [() => byDefault(), () => source.a, () => ({ ...spread })].map(overflows);
};
