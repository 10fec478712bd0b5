// worker: nothing, since an error is told once
// What the last error of the connection said.
const ask = (sql, ...params) =>
  JSON.parse(__host_sqlite_call(JSON.stringify({ method: "all", sql, params })));
export const first = (secret) => {
  ask("create table if not exists t (x unique)");
  return [
    ask(`select "${secret}" from nowhere`),
    ask("insert into t values (abs(?))", secret),
    ask("select json(?)", secret),
  ].length;
};
export const second = () =>
  [ask("select json('{')"), ask("select nothing")]
    .map((answer) => answer.error.message)
    .filter((message) => /sEcReT/.test(message));
