// Attack: text functions of quadratic time, on texts of a megabyte.
// Limits: runTimeMax=1000
// Ends: call time
// Ends: call answered "done"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  const long = "a".repeat(1e6);
  for (const sql of [
    "select instr(?1, ?2)",
    "select length(replace(?1, ?2, 'b'))",
    "select length(trim(?1, ?2))",
    "select length(replace(?1, 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))",
    "select soundex(?1) || unicode(?2)",
    "select length(upper(?1) || lower(?2))",
    "select length(quote(?1)) + length(hex(?2))",
    "select length(printf('%.*c', length(?1), ?2))",
  ])
    ask({ method: "get", sql, params: [long, "a".repeat(5e5) + "b"] });
  return "done";
};
