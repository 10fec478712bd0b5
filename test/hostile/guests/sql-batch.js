// Attack: batches of a hundred thousand steps, and one that fails at its end.
// Ends: call answered [0]
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  ask({ method: "run", sql: "create table if not exists t (x)" });
  const steps = new Array(20_000).fill({ method: "run", sql: "insert into t values (1)" });
  ask({
    method: "batch",
    steps: [...steps, { method: "run", sql: "insert into nowhere values (1)" }],
  });
  return ask({ method: "get", sql: "select count(*) from t" }).rows;
};
