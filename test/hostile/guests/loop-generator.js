// Attack: a generator that delegates to itself for ever.
// Ends: call time
// Ends: call threw InternalError: stack overflow
// Ends: call threw RangeError: stack
// Ends: call memory
function* delegate() {
  yield* delegate();
}
export const attack = () => [...delegate()].length;
