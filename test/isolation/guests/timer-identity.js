// The numbers of timers.
const numberOf = (timer) => Number(timer);
export const first = () => {
  for (let count = 0; count < 50; ++count) clearTimeout(setTimeout(() => {}, 1));
  setTimeout(() => {}, 10_000);
};
export const second = () => {
  const number = numberOf(setTimeout(() => {}, 10_000));
  console.log(number);
  return [];
};
