// The monotonic clock begins with the call.
export const first = () => {
  while (performance.now() < 600);
};
export const second = () => (performance.now() > 550 ? [performance.now()] : []);
