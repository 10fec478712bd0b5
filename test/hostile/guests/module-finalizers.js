// Attack: finalizers, weak references and cycles that wait in the snapshot.
// Ends: call answered 0
// Ends: load threw
let finalized = 0;
const registry = new FinalizationRegistry(() => {
  ++finalized;
});
for (let i = 0; i < 1000; ++i) {
  const cycle = {};
  cycle.cycle = cycle;
  registry.register({ cycle }, i);
}
export const attack = () => finalized - finalized;
