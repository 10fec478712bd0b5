// Attack: throws a symbol.
// Ends: call threw : Uncaught Symbol(s)
export const attack = () => {
  throw Symbol("s");
};
