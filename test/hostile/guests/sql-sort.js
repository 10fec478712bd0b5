// Attack: sorts rows that are long, by expressions that are.
// Limits: runTimeMax=1000
// Ends: call time
// Ends: call answered "limit-exceeded"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  ask({
    method: "get",
    sql: "with recursive n(i) as (select 1 union all select i + 1 from n limit 100000000) select i from n order by hex(randomblob(100)), printf('%100d', i) limit 1 offset 1000000",
  }).error?.code;
