// Attack: as many arguments as a stack cannot hold.
// Ends: call threw RangeError
// Ends: call threw InternalError
export const attack = () =>
  Math.max(...new Array(60_000).fill(1), ...new Array(60_000).fill(1)) +
  Math.max.apply(null, { length: 4e9 });
