// worker: nothing, since no number shows what it was not made of
// Big integers of all sizes where others were.
export const first = () => {
  let number = 3n;
  for (let count = 0; count < 14; ++count) number *= number;
  return number.toString(16).length;
};
export const second = () => {
  const found = [];
  for (let bits = 64n; bits < 20000n; bits *= 2n) {
    const power = 1n << bits;
    if (power.toString(2).slice(1).includes("1")) found.push(String(bits));
    if (BigInt.asUintN(Number(bits), power) !== 0n) found.push(String(bits));
  }
  return found;
};
