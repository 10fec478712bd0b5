// ends: TimeExceeded
// worker: nothing, since a guest that was stopped is not used again
// A call that waited for a timer for too long.
const came = [];
export const first = (secret) => {
  setTimeout(() => came.push(secret), 100);
  return new Promise((resolve) => setTimeout(resolve, 60_000));
};
export const second = () => came;
