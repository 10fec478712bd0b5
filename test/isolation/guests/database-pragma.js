// heap: differs, since the database answers more
// worker: nothing, since it is refused
// Settings of a connection.
const ask = (sql) => JSON.parse(__host_sqlite_call(JSON.stringify({ method: "all", sql })));
const settings = [
  "case_sensitive_like",
  "foreign_keys",
  "recursive_triggers",
  "query_only",
  "defer_foreign_keys",
  "ignore_check_constraints",
  "reverse_unordered_selects",
  "writable_schema",
  "cell_size_check",
  "temp_store",
  "user_version",
  "application_id",
  "synchronous",
  "legacy_alter_table",
  "count_changes",
  "automatic_index",
  "trusted_schema",
];
export const first = () => {
  ask("create table if not exists t (x integer check (x > 0))");
  for (const name of settings) {
    ask(`pragma ${name} = 1`);
    ask(`pragma ${name} = off`);
    ask(`pragma ${name}(1)`);
    ask(`select * from pragma_${name}(1)`);
  }
  ask("pragma case_sensitive_like = on");
};
export const second = () => {
  ask("create table if not exists t (x integer check (x > 0))");
  const found = [];
  if (ask("select 'a' like 'A'").rows[0][0] !== 1) found.push("case_sensitive_like");
  if (ask("pragma foreign_keys").rows[0][0] !== 1) found.push("foreign_keys");
  if (ask("pragma user_version").rows[0][0] !== 0) found.push("user_version");
  if (!ask("insert into t values (-1)").error) found.push("ignore_check_constraints");
  if (ask("insert into t values (1)").error) found.push("query_only");
  if (ask("select x from t").rows.length === 0) found.push("rows");
  return found;
};
