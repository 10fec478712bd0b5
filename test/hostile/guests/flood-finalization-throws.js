// Attack: finalizers that throw, and that bring back what was finalized.
// Ends: call threw
// Ends: call answered 3
const kept = [];
const registry = new FinalizationRegistry((held) => {
  kept.push(held);
  throw new Error("finalizer");
});
export const attack = async () => {
  for (let i = 0; i < 1000; ++i) {
    const cycle = { i };
    cycle.self = cycle;
    registry.register(cycle, { i });
  }
  for (let i = 0; i < 100_000; ++i) ({ garbage: [i] }).self = i;
  await null;
  return 3;
};
