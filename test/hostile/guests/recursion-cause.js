// Attack: an error with a hundred thousand causes, each of the one before.
// Ends: call threw Error: 99999
export const attack = () => {
  let error = new Error("first");
  for (let i = 0; i < 100_000; ++i) error = new Error(String(i), { cause: error });
  throw error;
};
