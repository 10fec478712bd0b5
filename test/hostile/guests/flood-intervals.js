// Attack: intervals of a millisecond that start each other.
// Limits: runTimeMax=1000
// Ends: call threw RangeError: timers
// Ends: call time
export const attack = () =>
  new Promise(() => {
    const more = () => {
      setInterval(more, 0);
      setInterval(more, 0);
    };
    more();
  });
