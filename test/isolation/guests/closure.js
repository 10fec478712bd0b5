// A variable that only a function can reach.
const exchange = (() => {
  let kept;
  return (value) => {
    const before = kept;
    kept = value;
    return before;
  };
})();
export const first = (secret) => {
  exchange(secret);
};
export const second = () => [exchange()].filter((found) => found !== undefined);
