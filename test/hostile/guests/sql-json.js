// Attack: JSON of a hundred thousand brackets, paths without end, and functions that are refused.
// Ends: call answered "done"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const wide = "[" + "1,".repeat(100_000) + "1]";
  for (const text of [
    deep,
    wide,
    "{" + '"a":{'.repeat(1000) + "}".repeat(1001),
    '"' + "\\u0000".repeat(50_000) + '"',
    "\0",
    "[1,",
    "NaN",
    "9".repeat(100_000),
  ]) {
    for (const expression of [
      "json(?1)",
      "json_valid(?1, 15)",
      "json_error_position(?1)",
      "json_extract(?1, '$" + "[0]".repeat(1000) + "')",
      "json_extract(?1, '$" + ".a".repeat(10_000) + "')",
      "json_set(?1, '$[#]', 1)",
      "json_remove(?1, '$[0]', '$[1]')",
      "json_pretty(?1)",
      "(select count(*) from json_tree(?1))",
      "json_type(?1, '$[99999]')",
      "?1 -> '$[#-1]'",
      "json_array_length(?1)",
    ]) {
      ask({ method: "get", sql: `select length(${expression})`, params: [text] });
    }
  }
  for (const refused of ["json_patch('{}', '{}')", "jsonb('[1]')", "jsonb_set(x'ff', '$', 1)"])
    if (!ask({ method: "get", sql: `select ${refused}` }).error) return refused;
  return "done";
};
