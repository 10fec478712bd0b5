// Attack: promises that wait for each other, half a million deep, and resolve all at once.
// Ends: call answered "done"
// Ends: call memory
export const attack = async () => {
  let promise = Promise.resolve("done");
  for (let i = 0; i < 20_000; ++i) promise = Promise.all([promise]).then(([value]) => value);
  return promise;
};
