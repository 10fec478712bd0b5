// Attack: one transaction that writes for ever.
// Ends: call time
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  ask({ method: "run", sql: "create table if not exists t (x)" });
  const { transaction } = ask({ method: "begin" });
  for (;;) ask({ method: "run", sql: "insert into t values (zeroblob(100000))", transaction });
};
