// worker: nothing, since every call has a session of its own
// A batch that failed in its middle.
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
const make = { method: "run", sql: "create table if not exists t (x unique)" };
export const first = (secret) => {
  ask(make);
  const step = { method: "run", sql: "insert into t values (?)", params: [secret] };
  return ask({ method: "batch", steps: [step, step] }).error.code;
};
export const second = () => {
  ask(make);
  return ask({ method: "all", sql: "select * from t" }).rows;
};
