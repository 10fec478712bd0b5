// Attack: joins of sixty-four tables, which the planner has to order.
// Limits: runTimeMax=2000
// Ends: call time
// Ends: call answered "done"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  ask({ method: "run", sql: "create table if not exists t (a integer primary key, b, c)" });
  ask({ method: "run", sql: "create index if not exists tb on t (b, c)" });
  for (const size of [10, 30, 64, 65, 200]) {
    const tables = Array.from({ length: size }, (_, i) => `t t${i}`);
    const conditions = tables
      .slice(1)
      .map((_, i) => `t${i}.b = t${i + 1}.a and (t${i}.c = t${size - 1}.b or t0.a = t${i}.c)`);
    ask({
      method: "all",
      sql: `select 1 from ${tables.join()} where ${conditions.join(" and ") || 1}`,
    });
  }
  return "done";
};
