// worker: nothing, since it is refused
// Transactions that SQL would open.
const ask = (sql) => JSON.parse(__host_sqlite_call(JSON.stringify({ method: "all", sql })));
export const first = () =>
  ["begin", "savepoint a", "begin immediate"].map((sql) => ask(sql).error.code);
export const second = () => ["commit", "rollback", "release a"].filter((sql) => !ask(sql).error);
