// Attack: answers of more rows and bytes than may be, and of values that are long.
// Ends: call answered ["limit-exceeded","limit-exceeded","limit-exceeded"]
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  [
    "with recursive n(i) as (select 1 union all select i + 1 from n limit 200000) select i from n",
    "with recursive n(i) as (select 1 union all select i + 1 from n limit 100) select zeroblob(1000000) from n",
    "select zeroblob(49000000)",
  ].map((sql) => ask({ method: "all", sql }).error?.code);
