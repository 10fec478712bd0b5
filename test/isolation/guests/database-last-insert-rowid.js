// worker: nothing, since every call has a session of its own
// What the connection remembers of the last INSERT.
const ask = (sql) => JSON.parse(__host_sqlite_call(JSON.stringify({ method: "all", sql }))).rows;
export const first = () => {
  ask("create table if not exists t (id integer primary key)");
  ask("insert or replace into t values (123456)");
};
export const second = () => ask("select last_insert_rowid()")[0].filter(Boolean);
