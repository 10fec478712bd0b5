// Attack: timers with delays that are no delays, and callbacks that are no functions.
// Ends: call answered "done"
export const attack = async () => {
  for (const delay of [
    NaN,
    Infinity,
    -Infinity,
    -1,
    2 ** 31,
    2 ** 32,
    1e308,
    -0,
    "x",
    null,
    undefined,
    {},
  ])
    clearTimeout(setTimeout(() => {}, delay));
  for (const callback of [undefined, null, 1, "for(;;);", {}, Symbol.iterator]) {
    try {
      clearTimeout(setTimeout(callback, 0));
    } catch {}
  }
  for (const id of [NaN, -1, 2 ** 32 + 1, {}, "x", null, 1e308]) clearTimeout(id);
  return "done";
};
