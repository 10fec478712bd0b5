// Attack: module scope with microtasks without end.
// Ends: load time
const next = () => queueMicrotask(next);
next();
await null;
