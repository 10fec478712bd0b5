// Attack: LIKE with a pattern of many wildcards against a long text.
// Ends: call time
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  ask({
    method: "get",
    sql: "select ? like ?",
    params: ["a".repeat(5e6), "%" + "a".repeat(900) + "b%"],
  });
