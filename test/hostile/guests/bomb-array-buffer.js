// Attack: buffers of every size, and a resizable one that grows.
// Ends: call memory
export const attack = () => {
  for (const size of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, Infinity, -1]) {
    try {
      new ArrayBuffer(size);
    } catch {}
    try {
      new Float64Array(size);
    } catch {}
    try {
      new ArrayBuffer(8, { maxByteLength: size }).resize(size);
    } catch {}
    try {
      new SharedArrayBuffer(size);
    } catch {}
  }
  const all = [];
  for (;;) all.push(new Uint8Array(1e6));
};
