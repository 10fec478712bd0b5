// ends: TimeExceeded
// worker: nothing, since a guest that was stopped is not used again
// A call that was stopped in a regular expression.
const pattern = /^(a+)+$/g;
export const first = () => pattern.test("a".repeat(60) + "b");
export const second = () => [pattern.lastIndex].filter(Boolean);
