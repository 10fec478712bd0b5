// worker: nothing, since it is refused
// Tables, views, triggers and indexes that belong to a connection.
const ask = (sql) => JSON.parse(__host_sqlite_call(JSON.stringify({ method: "all", sql })));
const statements = [
  "create temp table left_1 (x)",
  "create temporary view left_2 as select 1",
  "create temp trigger left_3 after insert on t begin select 1; end",
  "create table temp.left_4 (x)",
  "create table TEMP.left_5 as select 1 as x",
  "create virtual table temp.left_6 using fts5 (x)",
  "create view temp.left_7 as select 1",
  "create trigger temp.left_8 after insert on main.t begin select raise(abort, 'left'); end",
  "analyze temp",
];
export const first = () => {
  ask("create table if not exists t (x)");
  const done = statements.filter((sql) => !ask(sql).error && sql !== "analyze temp");
  return done.length === 0 ? 0 : JSON.parse(`not refused: ${done}`);
};
export const second = () => {
  ask("create table if not exists t (x)");
  const found = ask("select name from temp.sqlite_schema").rows.flat();
  return ask("insert into t values (1)").error ? [...found, "trigger"] : found;
};
