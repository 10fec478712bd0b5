// Attack: toJSON of the answer loops.
// Ends: call time
export const attack = () => ({
  toJSON() {
    for (;;);
  },
});
