// Attack: a list of a hundred thousand values, and SQL text of a megabyte.
// Ends: call answered ["number","number","string"]
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  [
    `select count(*) from (select 1 as x) where x in (${Array.from({ length: 100_000 }, (_, i) => i).join()})`,
    `select length('${"x".repeat(1_000_000)}')`,
    `select length('${"x".repeat(2_000_000)}')`,
  ].map((sql) => {
    const answer = ask({ method: "get", sql });
    return typeof (answer.error?.code ?? answer.rows[0]);
  });
