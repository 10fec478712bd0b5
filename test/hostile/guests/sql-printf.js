// Attack: printf, zeroblob, randomblob, hex and group_concat of more than a value may be.
// Ends: call answered []
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () =>
  [
    "printf('%2000000000d', 1)",
    "printf('%.2000000000f', 1e300)",
    "printf('%.*c', 2000000000, 'x')",
    "format('%-2147483647s', '')",
    "zeroblob(2147483647)",
    "zeroblob(9223372036854775807)",
    "randomblob(2147483647)",
    "hex(zeroblob(40000000))",
    "replace(hex(zeroblob(2000000)), '0', hex(zeroblob(2000)))",
    "(with recursive n(i) as (select 1 union all select i + 1 from n limit 100) select group_concat(hex(zeroblob(1000000))) from n)",
    "(with recursive n(i) as (select 1 union all select i + 1 from n limit 100) select json_group_array(hex(zeroblob(1000000))) from n)",
    "json_quote(hex(zeroblob(24000000)) || char(0))||hex(zeroblob(10000000))",
    "char(" + "120,".repeat(100) + "120) || zeroblob(50000000)",
    "substr(zeroblob(50000001), 1, 1)",
    "concat(zeroblob(30000000), zeroblob(30000000))",
  ].filter(
    (expression) =>
      ask({ method: "get", sql: `select length(${expression})` }).rows?.[0] > 50_000_000,
  );
