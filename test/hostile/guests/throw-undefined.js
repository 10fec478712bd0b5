// Attack: throws undefined.
// Ends: call threw : Uncaught undefined
export const attack = () => {
  throw undefined;
};
