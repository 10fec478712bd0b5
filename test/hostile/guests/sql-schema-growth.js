// Attack: ten thousand tables, and tables of two thousand columns, one column at a time.
// Limits: runTimeMax=700
// Ends: call time
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  ask({
    method: "run",
    sql: `create table wide (${Array.from({ length: 1990 }, (_, i) => "c" + i).join()})`,
  });
  for (let i = 1990; i < 2010; ++i)
    ask({ method: "run", sql: `alter table wide add column c${i} text default 'x'` });
  ask({
    method: "run",
    sql: `create index wide_index on wide (${Array.from({ length: 1990 }, (_, i) => "c" + i).join()})`,
  });
  for (let i = 0; i < 10_000; ++i) {
    ask({ method: "run", sql: `create table t${i} (a, b, unique (a, b))` });
    ask({ method: "run", sql: `alter table t${i} rename to r${i}` });
  }
};
