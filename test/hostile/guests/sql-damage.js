// Attack: schemas whose parts disagree, which SQLite has to notice itself.
// Ends: call answered "survived"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  for (const sql of [
    "drop table if exists p",
    "create table p (a integer primary key, b generated always as (a + c) stored, c generated always as (b + 1) stored)",
    "create table if not exists q (a references q (b) deferrable initially deferred, b unique)",
    "insert into q values (1, 2)",
    "create table if not exists r (a, b as (a || a) virtual, c as (b || b) virtual, d as (c || c), e as (d || d), f as (e || e))",
    "insert into r values (zeroblob(5000000))",
    "select length(f) from r",
    "create index if not exists ri on r (f, e, d)",
    "insert into r values ('x')",
    "update r set a = f",
    "create table if not exists s (a integer primary key, b) without rowid",
    "insert into s values (9223372036854775807, 1), (-9223372036854775808, 2)",
    "insert into s select a + 1, b from s",
    "create table if not exists u (a integer primary key autoincrement)",
    "insert into u values (9223372036854775807)",
    "insert into u default values",
    "create virtual table if not exists z using rtree(i, a, b)",
    "insert into z values (1, 1e308, -1e308), (2, 'x', x'00')",
    "insert into z_node values (99, x'ff')",
    "update z_node set data = x'0000ffff'",
    "select * from z where a < 1 and b > 2",
    "drop table if exists z",
    "alter table r drop column a",
    "alter table r rename column a to f",
    "alter table r drop column f",
    "alter table q rename to sqlite_q",
    "analyze",
    "pragma integrity_check",
    "pragma foreign_key_check",
  ])
    ask({ method: "all", sql });
  return "survived";
};
