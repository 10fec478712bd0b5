// Attack: the commands of a full-text table, and its own tables written by hand.
// Ends: call answered "done"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  ask({ method: "run", sql: "create virtual table if not exists f using fts5(a)" });
  for (let i = 0; i < 100; ++i)
    ask({ method: "run", sql: "insert into f values (?)", params: [("w" + i + " ").repeat(i)] });
  for (const sql of [
    "insert into f(f) values ('optimize')",
    "insert into f(f) values ('rebuild')",
    "insert into f(f) values ('integrity-check')",
    "insert into f(f) values ('delete-all')",
    "insert into f(f, rank) values ('merge', -2147483648)",
    "insert into f(f, rank) values ('automerge', 99999)",
    "insert into f(f, rank) values ('pgsz', 1)",
    "insert into f(f, rank) values ('rank', 'load_extension(1)')",
    "insert into f(f, rank) values ('secure-delete', 1)",
    "update f_data set block = zeroblob(100000)",
    "update f_data set block = randomblob(100)",
    "delete from f_data",
    "update f_config set v = 99",
    "drop table f_content",
    "update f_docsize set sz = x'ff'",
    "alter table f rename to g",
  ]) {
    ask({ method: "run", sql });
    for (const query of [
      "select * from f where f match 'w1*' order by rank",
      "select count(*) from f",
      "insert into f values ('w1 w2')",
      "delete from f where rowid = 3",
      "select highlight(f, 0, 'a', 'b') from f('w1 OR w2')",
    ])
      ask({ method: "all", sql: query });
  }
  return "done";
};
