// worker: nothing, since every call has a session of its own
// What the connection remembers of the last change.
const ask = (sql) => JSON.parse(__host_sqlite_call(JSON.stringify({ method: "all", sql }))).rows;
export const first = () => {
  ask("create table if not exists t (x)");
  ask("insert into t values (1), (2), (3)");
};
export const second = () => ask("select changes()")[0].filter(Boolean);
