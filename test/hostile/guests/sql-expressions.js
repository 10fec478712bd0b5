// Attack: expressions that are deep, wide, and longer than a statement may be.
// Ends: call answered []
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
const many = (n, text) => text.repeat(n);
export const attack = () =>
  [
    `select ${many(50_000, "(")}1${many(50_000, ")")}`,
    `select ${many(5_000, "-(")}1${many(5_000, ")")}`,
    `select ${many(5_000, "1+")}1`,
    `select ${many(2_000, "abs(")}1${many(2_000, ")")}`,
    `select ${many(5_000, "(select ")}1${many(5_000, ")")}`,
    `select 1 ${many(5_000, "union all select 1 ")}`,
    `select ${many(3_000, "1,")}1`,
    `select 1 from t ${many(100, "join t ")}`,
    `select ${many(2_000, "case when 1 then ")}1${many(2_000, " end")}`,
    `select 'x'${many(5_000, "||'x'")}`,
    `select ${many(1_000_000, " ")}1, ${many(100_000, "?,")}1`,
    `select * from (${many(500, "select * from (")}select 1${many(501, ")")}`,
    `with ${Array.from({ length: 3000 }, (_, i) => `c${i} as (select 1 from c${i + 1})`).join()} select 1 from c0`,
    "select ?99999",
    "select " + many(40_000, "?,") + "1",
  ]
    .filter((sql) => !ask({ method: "all", sql }).error)
    .map((sql) => sql.slice(0, 20))
    .filter(
      (sql) =>
        !["select ((((((((((((((", "select * from (select"].some((deep) =>
          deep.startsWith(sql.slice(0, 12)),
        ),
    );
