// Attack: a thenable that resolves to itself for ever.
// Ends: call time
// Ends: call memory
const again = { then: (resolve) => resolve(again) };
export const attack = () => again;
