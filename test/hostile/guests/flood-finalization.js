// Attack: finalizers that register more.
// Limits: runTimeMax=5000 heapBytesMax=16000000
// Ends: call time
// Ends: call memory
const registry = new FinalizationRegistry(() => more());
const more = () => {
  for (let i = 0; i < 100; ++i) registry.register({}, i);
};
export const attack = () => {
  more();
  const kept = [];
  for (;;) {
    kept.push(new WeakRef({ kept }));
    registry.register(kept[kept.length - 1], 1);
  }
};
