// Attack: URLs that are long, deep and international.
// Limits: runTimeMax=500
// Ends: call time
// Ends: call answered "done"
// Ends: call threw
// Ends: call memory
export const attack = () => {
  for (const text of [
    "http://" + "a.".repeat(1e5) + "example",
    "http://" + "xn--".repeat(1e5),
    "http://" + "ü".repeat(1e5) + ".example",
    "http://[" + "0:".repeat(1e5) + "]",
    "http://" + "1.".repeat(1e5),
    "file:" + "/..".repeat(1e5),
    "http://a/" + "%2e%2e/".repeat(1e5),
    "http://a/?" + "&a=%".repeat(1e5),
    "http://" + "@".repeat(1e5) + "a",
    "x".repeat(1e6) + ":",
  ]) {
    try {
      new URL(text).searchParams.sort();
    } catch {}
  }
  return "done";
};
