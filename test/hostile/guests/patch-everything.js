// Attack: replaces each function of each built-in object by one that answers nonsense, then
// queries and throws.
// Ends: call threw
// Ends: call pending
// Ends: call answered
import { sql } from "drizzle-orm";
import { database, Table } from "schemascript";
const db = database({ t: Table("t", (prop) => ({ id: prop.integer().identifier() })) });
const { ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
const { host } = { host: __host_sqlite };
const { apply } = Reflect;
const names = [
  "Object",
  "Array",
  "String",
  "Number",
  "Boolean",
  "Symbol",
  "Function",
  "Promise",
  "Map",
  "Set",
  "WeakMap",
  "Date",
  "RegExp",
  "Error",
  "TypeError",
  "Uint8Array",
  "ArrayBuffer",
  "BigInt",
  "JSON",
  "Math",
  "Reflect",
  "Proxy",
  "TextEncoder",
  "TextDecoder",
  "AggregateError",
];
const all = ownKeys;
export const attack = async () => {
  const statement = host.statement("select 42");
  const query = host.values;
  const targets = [];
  let count = 0;
  for (const name of names) {
    const value = globalThis[name];
    targets[count++] = value;
    if (value.prototype) targets[count++] = value.prototype;
  }
  for (let t = 0; t < count; ++t) {
    const keys = all(targets[t]);
    for (let k = 0; k < keys.length; ++k) {
      const found = getOwnPropertyDescriptor(targets[t], keys[k]);
      if (found.configurable && typeof found.value === "function")
        defineProperty(targets[t], keys[k], {
          __proto__: null,
          value: () => "forged",
          configurable: true,
        });
    }
  }
  const rows = query(statement, [], 0);
  if (rows[0][0] !== 42) throw "wrong";
  return db.get(sql`select 42`);
};
