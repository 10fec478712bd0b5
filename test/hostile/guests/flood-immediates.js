// Attack: setImmediate for ever, and a promise that nothing settles.
// Ends: call time
export const attack = () =>
  new Promise(() => {
    const next = () => setImmediate(next);
    next();
  });
