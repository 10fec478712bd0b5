// worker: nothing, since the engine clears what it hands out
// A buffer that is handed on to a larger one.
const larger = (size) => {
  const small = new ArrayBuffer(16);
  return new Uint8Array(
    small.transfer ? small.transfer(size) : structuredClone(new ArrayBuffer(size)),
  );
};
const sizes = [64, 1000, 4096, 1 << 20];
export const first = (secret) => {
  for (const size of sizes) new TextEncoder().encodeInto(secret.repeat(100), larger(size));
};
export const second = () => sizes.filter((size) => larger(size).some((byte) => byte !== 0));
