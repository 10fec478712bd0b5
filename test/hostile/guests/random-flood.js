// Attack: asks for random bytes for ever, and for more than may be asked for.
// Ends: call time
export const attack = () => {
  for (const size of [65_537, 1e7]) {
    try {
      crypto.getRandomValues(new Uint8Array(size));
    } catch {}
  }
  for (;;) crypto.getRandomValues(new Uint8Array(65_536));
};
