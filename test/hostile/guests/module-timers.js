// Attack: module scope that tries to leave timers, an interval and an immediate for each call.
// Ends: call answered 4
let refused = 0;
for (const set of [setTimeout, setInterval, setImmediate, queueMicrotask, AbortSignal.timeout]) {
  try {
    set === AbortSignal.timeout ? AbortSignal.timeout(1) : set(() => {}, 1);
  } catch {
    ++refused;
  }
}
export const attack = () => refused;
