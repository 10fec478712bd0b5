// Attack: module scope that freezes every global and prototype; each call has to live with it.
// Ends: call answered "lives"
for (const name of Object.getOwnPropertyNames(globalThis)) {
  const value = globalThis[name];
  if (value === null || (typeof value !== "object" && typeof value !== "function")) continue;
  Object.freeze(value);
  if (value.prototype) Object.freeze(value.prototype);
}
Object.freeze(globalThis);
export const attack = async () => {
  await null;
  console.log(new Map([[1, 2]]));
  __host_sqlite.values(__host_sqlite.statement("select 1"), [], 0);
  return "lives";
};
