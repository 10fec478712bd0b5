// Attack: a recursive query that never ends, in each method.
// Ends: call time
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  ask({
    method: "get",
    sql: "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",
  });
