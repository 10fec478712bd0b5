// Attack: as many timers as there is memory for.
// Ends: call threw RangeError: timers
export const attack = () => {
  for (;;) setTimeout(attack, 1e9);
};
