// Attack: a replacer that puts an object into each object. The engine looks for circles at each
// depth, which takes quadratic time.
// Ends: call time
// Ends: call threw InternalError: stack overflow
// Ends: call threw RangeError: stack
export const attack = () => JSON.stringify({}, (key, value) => ({ value }));
