// An interval that nobody ends.
const came = [];
export const first = (secret) => {
  setInterval(() => came.push(secret), 1);
};
export const second = async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return came.slice(0, 1);
};
