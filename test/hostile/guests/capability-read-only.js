// Attack: writes in a session that may only read.
// May: read
// Ends: call answered []
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  [
    "create table t (x)",
    "insert into t values (1)",
    "pragma user_version = 1",
    "pragma journal_mode = delete",
    "vacuum",
    "analyze",
    "drop table t",
    "create virtual table f using fts5(a)",
    "with x as (select 1) insert into t select * from x",
  ].filter(
    (sql) =>
      !ask({ method: "run", sql }).error ||
      !ask({ method: "batch", steps: [{ method: "run", sql }] }).error,
  );
