// Attack: tables and results of more columns than there may be.
// Ends: call answered [true,true,true,true]
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
const list = (n) => Array.from({ length: n }, (_, i) => "c" + i).join();
export const attack = () => {
  ask({ method: "run", sql: `create table if not exists wide (${list(2000)})` });
  return [
    `create table wider (${list(2001)})`,
    `alter table wide add column more`,
    `select ${list(2000)}, 1 from wide`,
    `select * from wide a, wide b order by ${list(2001)}`,
  ].map((sql) => ask({ method: "run", sql }).error !== undefined);
};
