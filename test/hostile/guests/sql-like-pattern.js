// Attack: patterns that are longer than they may be.
// Ends: call answered ["limit-exceeded","limit-exceeded"]
// Ends: call answered ["invalid-request","invalid-request"]
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  ["like", "glob"].map(
    (operator) =>
      ask({ method: "get", sql: `select 'a' ${operator} ?`, params: ["%*".repeat(50_000)] }).error
        .code,
  );
