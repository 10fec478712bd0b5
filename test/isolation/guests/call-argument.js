// The argument of a call, kept by reference.
const kept = [];
export const first = (...values) => {
  kept.push(values);
  globalThis.left = values;
};
export const second = (...values) =>
  [...kept, ...values, globalThis.left].filter(
    (found) => found !== undefined && typeof found !== "function",
  );
