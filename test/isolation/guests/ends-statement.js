// ends: TimeExceeded
// worker: nothing, since a guest that was stopped is not used again
// A call that was stopped in SQLite, in the middle of a transaction.
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
const make = { method: "run", sql: "create table if not exists t (x)" };
const endless =
  "with recursive n(i) as (select 1 union all select i + 1 from n) insert into t select i from n";
export const first = () => {
  ask(make);
  const { transaction } = ask({ method: "begin" });
  ask({ method: "run", sql: "insert into t values ('left')", transaction });
  ask({ method: "run", sql: endless, transaction });
};
export const second = () => {
  ask(make);
  return ask({ method: "all", sql: "select count(*) from t" }).rows[0].filter(Boolean);
};
