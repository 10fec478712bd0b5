// Attack: a factory of errors that queries, throws, answers nonsense and calls itself.
// Ends: call answered "survived"
const host = __host_sqlite;
export const attack = () => {
  const wrong = host.statement("select nowhere");
  for (const make of [
    () => undefined,
    () => 1,
    () => {
      throw "thrown";
    },
    () => host.values(wrong, [], 0),
    (error) => Object.freeze(error),
    () => host.values(host.statement("select 1"), [], 0),
  ]) {
    host.setErrorFactory(make);
    try {
      host.values(wrong, [], 0);
    } catch {}
  }
  return "survived";
};
