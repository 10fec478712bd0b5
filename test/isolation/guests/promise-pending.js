// A promise that the next call settles.
let settle;
const promise = new Promise((resolve) => (settle = resolve));
const came = [];
export const first = (secret) => {
  promise.then(() => came.push(secret));
};
export const second = async () => {
  settle();
  await promise;
  await null;
  return came;
};
