// worker: nothing, since it is refused
// Another database beside this one.
const ask = (sql) => JSON.parse(__host_sqlite_call(JSON.stringify({ method: "all", sql })));
export const first = () => [
  ask("attach ':memory:' as other").error.code,
  ask("create table other.t (x)").error.code,
];
export const second = () => (ask("select * from other.sqlite_schema").error ? [] : ["other"]);
