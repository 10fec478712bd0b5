// Attack: json_tree joined with itself, over a document that is wide.
// Ends: call time
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  ask({
    method: "get",
    sql: "select count(*) from json_tree(?1) a, json_tree(?1) b, json_each(?1) c where a.fullkey < b.fullkey",
    params: ["[" + "[1],".repeat(3000) + "1]"],
  });
