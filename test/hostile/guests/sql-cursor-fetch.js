// Attack: fetches rows without end.
// Ends: call time
const host = __host_sqlite;
export const attack = () => {
  const statement = host.statement(
    "with recursive n(i) as (select 1 union all select i + 1 from n) select i, hex(zeroblob(100)) from n",
  );
  const { cursor } = host.iterate(statement, [], 0);
  for (;;) host.fetch(statement, cursor);
};
