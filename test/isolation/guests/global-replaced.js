// Globals that are others than before.
const names = Object.getOwnPropertyNames(globalThis);
const before = names.map((name) => globalThis[name]);
export const first = () => {
  for (const name of [
    "Array",
    "Date",
    "URL",
    "setTimeout",
    "parseInt",
    "console",
    "crypto",
    "__host_sqlite_call",
  ])
    globalThis[name] = () => "patched";
};
export const second = () =>
  names.filter((name, index) => globalThis[name] !== before[index] && name !== "NaN");
