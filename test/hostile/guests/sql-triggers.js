// Attack: triggers that fire each other, and themselves.
// Limits: runTimeMax=5000
// Ends: call answered "bounded"
// Ends: call time
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  for (const sql of [
    "create table if not exists a (x integer)",
    "create table if not exists b (x integer)",
    "create trigger if not exists ab after insert on a begin insert into b values (new.x + 1), (new.x + 2); end",
    "create trigger if not exists ba after insert on b begin insert into a values (new.x + 1), (new.x + 2); end",
    "create trigger if not exists aa after update on a begin update a set x = x + 1; end",
    "pragma recursive_triggers = 1",
  ])
    ask({ method: "run", sql });
  ask({ method: "run", sql: "insert into a values (1)" });
  ask({ method: "run", sql: "update a set x = 1" });
  return "bounded";
};
