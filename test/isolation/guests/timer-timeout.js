// Timers that are due when the next call runs.
const came = [];
export const first = (secret) => {
  setTimeout(() => came.push(secret), 0);
  setTimeout(() => console.log(secret), 1);
  setImmediate(() => came.push(secret));
};
export const second = async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return came;
};
