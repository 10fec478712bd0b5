// worker: nothing, since every call has a session of its own
// The handle of the call before.
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const first = () =>
  [1, 2, 3].map(() => ask({ method: "begin", behavior: "deferred" }).transaction);
export const second = () => {
  const found = [];
  for (let transaction = 1; transaction < 10; ++transaction) {
    if (!ask({ method: "all", sql: "select 1", transaction }).error) found.push(transaction);
    if (!ask({ method: "commit", transaction }).error) found.push(transaction);
  }
  return found;
};
