// The console's counters.
export const first = (secret) => {
  console.count();
  console.count("left");
  console.count(secret);
};
export const second = () => {
  console.count();
  console.count("left");
  return [];
};
