// Attack: cursors that are left open, as many as there may be, over rows that never end.
// Ends: call answered ["limit-exceeded",16]
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  for (let count = 0; ; ++count) {
    const answer = ask({
      method: "iterate",
      sql: "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n",
    });
    if (answer.error) return [answer.error.code, count];
  }
};
