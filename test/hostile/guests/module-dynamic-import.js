// Attack: imports by name, with names that are paths, built-in modules, and itself.
// Ends: call answered 0
export const attack = async () => {
  let opened = 0;
  for (const name of [
    "fs",
    "node:fs",
    "std",
    "os",
    "bjson",
    "../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "https://example.org/x.js",
    "data:text/javascript,export default 1",
    "\0",
    "x".repeat(1e6),
  ]) {
    try {
      await import(name);
      ++opened;
    } catch {}
  }
  for (const name of ["schemascript:app", "schemascript/internal", "schemascript:globals"])
    await import(name).catch(() => {});
  return opened;
};
