// A heap that was nearly full: the next call has all of it.
const kept = [];
export const first = (secret) => {
  try {
    for (;;) kept.push(new Uint8Array(1 << 20).fill(secret.length));
  } catch {
    kept.length = Math.max(kept.length - 4, 1);
  }
};
export const second = () => {
  const found = kept.length === 0 ? [] : ["kept"];
  const all = [];
  try {
    for (let count = 0; count < 40; ++count) all.push(new Uint8Array(1 << 20));
  } catch {
    found.push("no room");
  }
  return found;
};
