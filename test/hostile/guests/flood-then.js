// Attack: a promise that is settled by a chain without end.
// Ends: call time
export const attack = () => {
  const chain = () => Promise.resolve().then(chain);
  return chain();
};
