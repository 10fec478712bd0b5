// Attack: an answer that is no JSON.
// Ends: call threw TypeError
export const attack = () => ({ a: [1n] });
