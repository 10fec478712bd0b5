// Attack: a custom inspection that inspects itself in a loop.
// Ends: call time
// Ends: call threw
export const attack = () => {
  const value = {
    [Symbol.for("nodejs.util.inspect.custom")]: (depth, options, inspect) => {
      for (;;) inspect(value, { depth: 1000 });
    },
  };
  console.log(value);
};
