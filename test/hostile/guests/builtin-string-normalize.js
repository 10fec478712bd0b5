// Attack: normalizes and compares strings of combining marks.
// Limits: runTimeMax=500
// Ends: call time
// Ends: call memory
export const attack = () => {
  const marks = "a" + "\u0315\u0300\u05ae\u0323".repeat(1e6);
  return (
    marks.normalize("NFC").length +
    marks.normalize("NFKD").localeCompare(marks) +
    marks.toLocaleUpperCase().length
  );
};
