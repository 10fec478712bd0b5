// worker: nothing, since every call has a session of its own
// A cursor that has rows left.
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
const rows =
  "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) select ? || i from n";
export const first = (secret) => ask({ method: "iterate", sql: rows, params: [secret] }).cursor;
export const second = () => {
  const found = [];
  for (let cursor = 1; cursor < 10; ++cursor) {
    const answer = ask({ method: "fetch", cursor });
    if (!answer.error) found.push(answer);
  }
  return found;
};
