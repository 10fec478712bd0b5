// worker: nothing, since parameters and values are counted
// Values that are still bound to a statement of the cache.
const ask = (sql, ...params) =>
  JSON.parse(__host_sqlite_call(JSON.stringify({ method: "all", sql, params })));
const statement = "select ?1, ?2, :name";
export const first = (secret) => ask(statement, secret, secret, secret).rows.length;
export const second = () =>
  [ask(statement), ask(statement, null)].filter((answer) => !answer.error);
