// Attack: a recursive query that has to remember all its rows, each of them long.
// Limits: runTimeMax=2000
// Ends: call time
// Ends: call answered "limit-exceeded"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  ask({
    method: "get",
    sql: "with recursive n(i, s) as (select 1, zeroblob(1000) union select i + 1, zeroblob(1000) from n) select max(i) from n",
  }).error.code;
