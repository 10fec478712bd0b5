// Attack: a JSON text of a million members, one that grows with each level of its indentation.
// Ends: call memory
// Ends: call threw
export const attack = () => {
  const wide = JSON.parse(
    "{" + Array.from({ length: 50_000 }, (_, i) => `"k${i}":[]`).join() + "}",
  );
  let deep = wide;
  for (let i = 0; i < 1000; ++i) deep = { deep };
  return JSON.stringify(deep, null, 10).length;
};
