// Attack: toJSON that queries, and begins a transaction when the call is at its end.
// Ends: call answered [1,"begun"]
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => ({
  toJSON() {
    ask({ method: "run", sql: "create table if not exists t (x)" });
    const { transaction } = ask({ method: "begin" });
    ask({ method: "run", sql: "insert into t values (1)", transaction });
    return [transaction, "begun"];
  },
});
