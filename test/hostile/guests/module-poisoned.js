// Attack: module scope that patches what calls, answers and errors are made with.
// Ends: call threw
// Ends: call answered
for (const prototype of [
  Object.prototype,
  Array.prototype,
  String.prototype,
  Promise.prototype,
  Error.prototype,
  Function.prototype,
]) {
  for (const name of [
    "then",
    "toJSON",
    "get",
    "set",
    "value",
    "message",
    "stack",
    "cause",
    "errors",
  ]) {
    try {
      Object.defineProperty(prototype, name, {
        configurable: true,
        get: () => undefined,
        set() {},
      });
    } catch {}
  }
}
JSON.stringify = JSON.parse = () => "forged";
export const attack = () => {
  throw new Error("x");
};
