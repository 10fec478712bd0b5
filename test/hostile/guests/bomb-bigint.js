// Attack: a number that is squared for ever.
// Ends: call time
// Ends: call memory
// Ends: call threw
export const attack = () => {
  let number = 3n;
  for (;;) number *= number;
};
