// Attack: spreads a generator without end.
// Limits: heapBytesMax=16000000
// Ends: call memory
function* forever() {
  for (;;) yield 1;
}
export const attack = () => [...forever()].length;
