// Attack: two thousand triggers in a chain, each of which fires the next.
// Limits: runTimeMax=20000
// Ends: call answered "bounded"
// Ends: call time
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  for (let i = 0; i <= 2000; ++i)
    ask({ method: "run", sql: `create table if not exists t${i} (x)` });
  for (let i = 0; i < 2000; ++i)
    ask({
      method: "run",
      sql: `create trigger if not exists g${i} after insert on t${i} begin insert into t${i + 1} values (new.x); end`,
    });
  return ask({ method: "run", sql: "insert into t0 values (1)" }).error ? "bounded" : "accepted";
};
