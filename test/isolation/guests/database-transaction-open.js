// worker: nothing, since every call has a session of its own
// A transaction that nobody ended, and what it wrote.
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
const make = { method: "run", sql: "create table if not exists t (x)" };
export const first = (secret) => {
  ask(make);
  const { transaction } = ask({ method: "begin" });
  ask({ method: "run", sql: "insert into t values (?)", params: [secret], transaction });
};
export const second = () => {
  ask(make);
  const begun = ask({ method: "begin" });
  const written = ask({
    method: "run",
    sql: "insert into t values (1)",
    transaction: begun.transaction,
  });
  ask({ method: "rollback", transaction: begun.transaction });
  return [
    ...ask({ method: "all", sql: "select x from t" }).rows,
    begun.error,
    written.error,
  ].filter(Boolean);
};
