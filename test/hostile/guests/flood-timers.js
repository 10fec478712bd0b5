// Attack: as many timers as there is memory for.
// Limits: runTimeMax=5000
// Ends: call threw RangeError: timers
export const attack = () => {
  for (;;) setTimeout(attack, 1e9);
};
