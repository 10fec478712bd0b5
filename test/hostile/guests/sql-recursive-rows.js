// Attack: a recursive query with rows that never end.
// Ends: call answered "limit-exceeded"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  ask({
    method: "all",
    sql: "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n",
  }).error.code;
