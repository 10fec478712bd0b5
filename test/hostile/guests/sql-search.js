// Attack: full-text searches that are deep, wide, and made of everything.
// Limits: runTimeMax=1500
// Ends: call time
// Ends: call answered "done"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  ask({ method: "run", sql: "create virtual table if not exists f using fts5(a, b)" });
  for (let i = 0; i < 20; ++i)
    ask({
      method: "run",
      sql: "insert into f values (?, ?)",
      params: ["a ".repeat(5000), "b a ".repeat(2000)],
    });
  for (const query of [
    "(".repeat(10_000) + "a" + ")".repeat(10_000),
    "a ".repeat(10_000),
    "NOT ".repeat(1000) + "a",
    "a AND ".repeat(300) + "a",
    '"' + "a ".repeat(2000) + '"',
    "NEAR(a a a a a a a a, 1000000)",
    "a*",
    "^a",
    "{a b}: a",
    "a + a + a + a",
    "\0",
    '"',
    "-",
    "a OR ".repeat(5000) + "b",
    "nowhere: a",
  ]) {
    ask({
      method: "all",
      sql: "select rank, bm25(f), length(highlight(f, 0, 'x', 'y')), snippet(f, -1, '', '', '', 64) from f where f match ? order by rank",
      params: [query],
    });
  }
  return "done";
};
