// Attack: recursion without end.
// Ends: call threw InternalError: stack overflow
// Ends: call threw RangeError: stack
export const attack = () => attack() + 1;
