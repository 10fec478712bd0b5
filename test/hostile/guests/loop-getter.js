// Attack: a getter that asks for itself in a loop, caught each time.
// Ends: call time
const trap = {
  get value() {
    for (;;)
      try {
        return this.value;
      } catch {}
  },
};
export const attack = () => trap.value;
