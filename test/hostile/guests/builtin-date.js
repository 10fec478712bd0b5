// Attack: dates from odd texts, and from numbers that are none.
// Ends: call answered "done"
export const attack = () => {
  for (const text of [
    "9".repeat(1e6),
    "+".repeat(1e6),
    "(".repeat(1e6),
    "T".repeat(1e5),
    "2024-01-01" + "0".repeat(1e6),
    "Jan ".repeat(1e5),
    "\0",
    "-".repeat(1e6) + "1",
  ])
    Date.parse(text);
  for (const number of [NaN, Infinity, 8.64e15, 8.64e15 + 1, -8.64e15, 1e308, -0]) {
    const date = new Date(number);
    date.setFullYear(1e9, 1e9, 1e9);
    date.setTime(number);
    date.setMonth(-1e308);
    String(date) + date.toLocaleString() + date.getTimezoneOffset();
    try {
      date.toISOString();
    } catch {}
    new Date(1e9, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9);
    Date.UTC(-1e308, 1e308);
  }
  return "done";
};
