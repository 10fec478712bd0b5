// heap: differs, since numbers are texts of several lengths
// worker: nothing, since the generator goes on
// Numbers that the first call had do not come again. The database remembers them.
const ask = (sql, ...params) =>
  JSON.parse(__host_sqlite_call(JSON.stringify({ method: "all", sql, params }))).rows;
const numbers = () => Array.from({ length: 20 }, () => Math.random());
export const first = () => {
  ask("create table if not exists seen (number real)");
  for (const number of numbers()) ask("insert into seen values (?)", number);
};
export const second = () => {
  ask("create table if not exists seen (number real)");
  return numbers().filter(
    (number) => ask("select 1 from seen where number = ?", number).length > 0,
  );
};
