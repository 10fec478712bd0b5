// Attack: an iterator without end, whose return() loops as well.
// Ends: call time
const forever = {
  [Symbol.iterator]: () => ({
    next: () => ({ done: false, value: 1 }),
    return() {
      for (;;);
    },
  }),
};
export const attack = () => {
  for (const value of forever) if (value === 2) break;
};
