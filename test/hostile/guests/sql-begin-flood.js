// Attack: begins without end, each beside the ones before, and leaves them all open.
// Ends: call answered "bounded"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  const codes = new Set();
  for (let i = 0; i < 200; ++i)
    codes.add(
      ask({ method: "begin", behavior: ["deferred", "immediate", "exclusive"][i % 3] }).error?.code,
    );
  return codes.has("conflict") && (codes.has("limit-exceeded") || codes.has("unavailable"))
    ? "bounded"
    : [...codes].join();
};
