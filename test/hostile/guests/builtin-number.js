// Attack: numbers from and to texts of millions of digits.
// Limits: runTimeMax=3000
// Ends: call answered "done"
// Ends: call time
export const attack = () => {
  Number("1" + "0".repeat(5e6) + "e-5000000");
  parseFloat("0." + "0".repeat(5e6) + "1e5000000");
  parseInt("z".repeat(1e6), 36);
  for (let digits = 0; digits <= 100; ++digits)
    ((5e-324).toFixed(digits),
      (1.7e308).toExponential(digits),
      (5e-324).toString(2 + (digits % 35)));
  return "done";
};
