// Attack: prepareStackTrace and stackTraceLimit that are not what they should be.
// Ends: call threw
// Ends: call time
export const attack = () => {
  Error.stackTraceLimit = Infinity;
  Error.prepareStackTrace = (error, frames) => {
    throw frames;
  };
  const deep = (n) => (n === 0 ? null.x : deep(n - 1));
  deep(500);
};
