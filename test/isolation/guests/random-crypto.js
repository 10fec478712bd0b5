// heap: differs, since the database answers more
// worker: nothing, since the generator goes on
// The same of the generator that keys are made with.
const ask = (sql, ...params) =>
  JSON.parse(__host_sqlite_call(JSON.stringify({ method: "all", sql, params }))).rows;
const texts = () =>
  Array.from({ length: 20 }, () => crypto.randomUUID()).concat(
    crypto.getRandomValues(new Uint32Array(8)).join(),
  );
export const first = () => {
  ask("create table if not exists keys (text)");
  for (const text of texts()) ask("insert into keys values (?)", text);
};
export const second = () => {
  ask("create table if not exists keys (text)");
  return texts().filter((text) => ask("select 1 from keys where text = ?", text).length > 0);
};
