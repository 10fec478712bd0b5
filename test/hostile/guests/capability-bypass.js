// Attack: reads and writes what its session may not, by every way that patches nothing or all.
// May: reads=open writes=open
// Ends: call answered []
import { sql } from "drizzle-orm";
import { database, Table } from "schemascript";
const db = database({ t: Table("secret", (prop) => ({ id: prop.integer().identifier() })) });
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = async () => {
  const got = [];
  const statements = [
    "create table secret (id integer primary key)",
    "select * from secret",
    "select * from sqlite_master",
    "select * from sqlite_schema",
    "select * from pragma_table_list",
    "pragma table_list",
    "with open as (select * from sqlite_schema) select * from open",
    "select * from main.sqlite_schema",
    'select * from "sqlite_master"',
    "select * from (select sql from sqlite_temp_schema)",
    "insert into secret values (1)",
    "update sqlite_schema set sql = ''",
    "create view open as select * from secret",
    "create trigger open after insert on open begin select 1; end",
    "alter table open rename to other",
    "select * from dbstat",
    "select * from sqlite_dbpage",
    "analyze",
    "pragma user_version = 7",
    "explain select * from sqlite_schema",
    "explain query plan select * from sqlite_schema",
  ];
  for (const text of statements) {
    for (const method of ["run", "all", "values", "get", "iterate"]) {
      const answer = ask({ method, sql: text });
      if (!answer.error) got.push([method, text, answer]);
      try {
        got.push([method, text, __host_sqlite[method](__host_sqlite.statement(text), [], 0)]);
      } catch {}
    }
    try {
      got.push([text, await db.all(sql.raw(text))]);
    } catch {}
    const batch = ask({
      method: "batch",
      steps: [
        { method: "all", sql: "select 1" },
        { method: "all", sql: text },
      ],
    });
    if (!batch.error) got.push(["batch", text, batch]);
  }
  const pushed = ask({ method: "push", sql: "create table secret (x)" });
  if (!pushed.error) got.push(pushed);
  return got;
};
