// Attack: for await over a generator without end, which never waits for anything.
// Ends: call time
async function* forever() {
  for (;;) yield 1;
}
export const attack = async () => {
  for await (const value of forever());
};
