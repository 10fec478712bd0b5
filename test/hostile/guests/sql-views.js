// Attack: views of views, each of which reads the one before twice.
// Limits: runTimeMax=3000
// Ends: call answered "bounded"
// Ends: call time
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  ask({ method: "run", sql: "create view if not exists v0 as select 1 as x" });
  for (let i = 1; i < 40; ++i)
    ask({
      method: "run",
      sql: `create view if not exists v${i} as select a.x from v${i - 1} a, v${i - 1} b union select x from v${i - 1}`,
    });
  ask({ method: "all", sql: "select * from v39" });
  for (let i = 1; i < 2000; ++i)
    ask({ method: "run", sql: `create view if not exists w${i} as select * from w${i - 1}` });
  ask({ method: "run", sql: "create view if not exists w0 as select * from w1999" });
  ask({ method: "all", sql: "select * from w1999" });
  return "bounded";
};
