// Attack: an iterator whose return() never returns; the loop is left at once.
// Ends: call time
export const attack = () => {
  for (const value of {
    [Symbol.iterator]: () => ({
      next: () => ({ done: false, value: 1 }),
      return() {
        for (;;);
      },
    }),
  })
    break;
};
