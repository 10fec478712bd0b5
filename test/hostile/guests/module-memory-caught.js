// Attack: module scope that fills its memory, catches that, and leaves it full for the snapshot.
// Ends: call memory
// Ends: call answered 1
// Ends: load memory
const all = [];
try {
  for (;;) all.push(new Uint8Array(100_000));
} catch {
  all.length -= 20;
}
export const attack = () => {
  all.length -= 1;
  return 1;
};
