// Attack: a promise that nothing settles.
// Ends: call pending
export const attack = () => new Promise(() => {});
