// Attack: an error whose message, name, stack, code and cause throw.
// Ends: call threw Error
export const attack = () => {
  const error = new Error("hidden");
  for (const name of [
    "message",
    "name",
    "stack",
    "code",
    "cause",
    "errors",
    "columns",
    "violation",
    "table",
  ]) {
    Object.defineProperty(error, name, {
      get() {
        throw error;
      },
    });
  }
  throw error;
};
