// Attack: setters, getters and indices on Object.prototype, then queries.
// Ends: call answered [42,42,true]
import { sql } from "drizzle-orm";
import { database, Table } from "schemascript";
const db = database({ t: Table("t", (prop) => ({ id: prop.integer().identifier() })) });
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = async () => {
  let seen = 0;
  for (const name of [
    "sql",
    "params",
    "method",
    "transaction",
    "cursor",
    "steps",
    "behavior",
    "rows",
    "error",
    "code",
    "message",
    "then",
    "get",
    "set",
    "value",
    "writable",
    "configurable",
    "length",
    "columns",
    "path",
    "kind",
    "decoder",
    "nullable",
    "done",
    "next",
    "toJSON",
    "0",
    "1",
    "constructor",
  ]) {
    Object.defineProperty(Object.prototype, name, {
      __proto__: null,
      configurable: true,
      get() {
        ++seen;
        return undefined;
      },
      set(value) {
        ++seen;
      },
    });
  }
  const direct = __host_sqlite.values(__host_sqlite.statement("select 42"), [], 0)[0][0];
  let drizzle = 42;
  try {
    drizzle = (await db.get(sql`select 42 as x`)) ?? 42;
    drizzle = drizzle.x ?? drizzle[0] ?? 42;
  } catch {}
  return [direct, drizzle, seen >= 0];
};
