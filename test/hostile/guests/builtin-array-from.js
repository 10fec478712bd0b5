// Attack: Array.from of a length, with a constructor that keeps nothing.
// Ends: call time
// Ends: call memory
export const attack = () =>
  Array.from.call(
    class {
      set length(value) {}
    },
    { length: 2 ** 53 - 1 },
    () => 1,
  );
