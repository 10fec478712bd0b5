// worker: nothing, unless the clock ran on
// performance.timeOrigin and Date agree after the reset.
export const first = () => {
  while (performance.now() < 50);
};
export const second = () =>
  Math.abs(performance.timeOrigin + performance.now() - Date.now()) > 200 ? ["another origin"] : [];
