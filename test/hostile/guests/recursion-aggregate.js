// Attack: AggregateErrors inside of each other, ten in each.
// Ends: call threw AggregateError: top
export const attack = () => {
  const all = new AggregateError([], "top");
  all.errors = new Array(1000).fill(all);
  const deep = (n) =>
    n === 0
      ? all
      : new AggregateError(
          new Array(10).fill(0).map(() => deep(n - 1)),
          "top",
        );
  throw deep(4);
};
