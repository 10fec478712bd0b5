// Attack: leaves something in the connection for the next call: temporary tables and triggers, and
// statements whose text can be read.
// Ends: call answered []
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  const found = ask({ method: "all", sql: "select name from sqlite_temp_schema" }).rows;
  for (const sql of [
    "create table if not exists t (x)",
    "select 'secret' as left_behind",
    "create table temp.left_behind (x)",
    "create view temp.left_view as select 1",
    "create trigger temp.left_trigger after insert on t begin select 1; end",
  ])
    ask({ method: "run", sql });
  for (const sql of [
    "select sql from sqlite_stmt",
    "select data from sqlite_dbpage",
    "select name from dbstat",
  ])
    found.push(...(ask({ method: "all", sql }).rows ?? []));
  return found;
};
