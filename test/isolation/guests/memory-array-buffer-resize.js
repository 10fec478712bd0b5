// worker: nothing, since the engine clears what it hands out
// A buffer that grows into what was freed.
const grow = (size) => {
  if (!ArrayBuffer.prototype.resize) return new Uint8Array(size);
  const buffer = new ArrayBuffer(16, { maxByteLength: size });
  buffer.resize(size);
  return new Uint8Array(buffer);
};
const sizes = [64, 1000, 4096, 1 << 20];
export const first = (secret) => {
  for (const size of sizes) new TextEncoder().encodeInto(secret.repeat(100), grow(size));
};
export const second = () => sizes.filter((size) => grow(size).some((byte) => byte !== 0));
