// worker: nothing, since the engine clears what it hands out
// Memory of freed buffers in new ones.
const sizes = [8, 16, 24, 64, 100, 256, 1000, 4096, 65536, 1 << 20, 3 << 20];
export const first = (secret) => {
  for (const size of sizes) {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 32) new TextEncoder().encodeInto(secret, bytes.subarray(at));
  }
};
export const second = () => sizes.filter((size) => new Uint8Array(size).some((byte) => byte !== 0));
