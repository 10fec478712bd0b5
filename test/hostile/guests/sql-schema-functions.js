// Attack: a view, a default and a trigger that name functions which no query may call, then used.
// Ends: call answered [true,true,true,true]
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  for (const sql of [
    "create table if not exists t (x)",
    "create view if not exists v as select load_extension('x')",
    "create table if not exists y (x, z default (load_extension('x')))",
    "create trigger if not exists r after insert on t begin select readfile('x'); end",
  ])
    ask({ method: "run", sql });
  return [
    "select * from v",
    "insert into y (x) values (1)",
    "insert into t values (1)",
    "select load_extension('x')",
  ].map((sql) => ask({ method: "all", sql }).error !== undefined);
};
