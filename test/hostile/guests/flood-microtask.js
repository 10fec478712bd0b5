// Attack: one microtask that makes the next.
// Ends: call time
const next = () => queueMicrotask(next);
export const attack = () => new Promise(next);
