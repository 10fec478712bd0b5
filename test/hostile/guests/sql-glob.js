// Attack: GLOB with many stars and sets.
// Ends: call time
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  ask({
    method: "get",
    sql: "select ? glob ?",
    params: ["a".repeat(5e6), "*" + "[a-z]".repeat(190) + "b*"],
  });
