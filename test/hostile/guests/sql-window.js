// Attack: window functions over frames that are all rows, for each row.
// Ends: call time
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  ask({
    method: "get",
    sql: "with recursive n(i) as (select 1 union all select i + 1 from n limit 200000) select max(x) from (select group_concat(i) over (order by i rows between unbounded preceding and unbounded following exclude current row) x from n)",
  });
