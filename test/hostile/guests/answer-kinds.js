// Attack: answers that are nothing: undefined, functions, symbols.
// Ends: call answered
export const attack = () => Symbol("nothing");
