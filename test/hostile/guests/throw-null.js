// Attack: throws null, as the engine does when there is no memory for an error.
// Ends: call threw : Uncaught null
export const attack = () => {
  throw null;
};
