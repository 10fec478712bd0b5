// Attack: encodes and decodes half of everything.
// Limits: runTimeMax=5000
// Ends: call answered "done"
// Ends: call memory
// Ends: call time
export const attack = () => {
  const lone = "\ud800".repeat(2e5);
  new TextDecoder().decode(new TextEncoder().encode(lone));
  for (let length = 0; length < 300; ++length) {
    const bytes = new Uint8Array(length).fill(0x80 + (length % 0x80));
    new TextDecoder().decode(bytes);
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {}
    new TextEncoder().encodeInto("\ud83d\ude00ä".repeat(length), bytes);
  }
  for (const label of ["utf-16le", "latin1", "x".repeat(1e6), "\0", "shift_jis"]) {
    try {
      new TextDecoder(label).decode(new Uint8Array(1e5).fill(0xd8), { stream: true });
    } catch {}
  }
  return "done";
};
