// Attack: handles of transactions and cursors that are not its own, closed, 0, negative or huge.
// Ends: call answered []
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  const { transaction: open } = ask({ method: "begin" });
  const inner = ask({ method: "begin", transaction: open }).transaction;
  ask({ method: "commit", transaction: inner });
  const accepted = [];
  for (const transaction of [
    inner,
    0,
    -1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 32 + open,
    2 ** 53,
    1e308,
    1.5,
    "1",
    [open],
    { open },
    true,
  ]) {
    for (const request of [
      { method: "run", sql: "create table t (x)" },
      { method: "all", sql: "select 1" },
      { method: "commit" },
      { method: "begin" },
      { method: "batch", steps: [{ method: "all", sql: "select 1" }] },
      { method: "iterate", sql: "select 1" },
    ]) {
      if (!ask({ ...request, transaction }).error) accepted.push([request.method, transaction]);
    }
  }
  for (const cursor of [0, -1, 1, 2 ** 32 - 1, 2 ** 32 + 1, 1.5, "1", null, {}])
    if (!ask({ method: "fetch", cursor }).error) accepted.push(["fetch", cursor]);
  return accepted;
};
