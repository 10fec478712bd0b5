// Attack: a recursive query whose rows double.
// Ends: call answered "limit-exceeded"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  ask({
    method: "all",
    sql: "with recursive n(s) as (select 'x' union all select s || s from n) select length(s) from n",
  }).error.code;
