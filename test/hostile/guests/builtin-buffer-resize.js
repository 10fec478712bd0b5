// Attack: buffers that are resized and detached while the runtime reads them.
// Ends: call answered "done"
export const attack = async () => {
  const uses = [
    (bytes) => new TextDecoder().decode(bytes),
    (bytes) => new TextEncoder().encodeInto("text", bytes),
    (bytes) => crypto.getRandomValues(bytes),
    (bytes) => new Blob([bytes]).size,
    (bytes) => console.log(bytes),
    (bytes) => structuredClone(bytes),
    (bytes) => __host_sqlite.all(__host_sqlite.statement("select ?"), [bytes], 0),
    (bytes) => bytes.toReversed?.(),
    (bytes) => JSON.stringify(bytes),
  ];
  for (const use of uses) {
    for (const prepare of [
      (buffer) => structuredClone(buffer, { transfer: [buffer] }),
      (buffer) => buffer.resize(3),
      (buffer) => buffer.resize(0),
      (buffer) => buffer.resize(4096),
    ]) {
      const buffer = new ArrayBuffer(64, { maxByteLength: 4096 });
      const bytes = new Uint8Array(buffer, 8);
      try {
        prepare(buffer);
      } catch {}
      try {
        use(bytes);
      } catch {}
      const lying = new Uint8Array(16);
      Object.defineProperties(lying, {
        length: { value: 2 ** 31 },
        byteLength: { value: 2 ** 31 },
        byteOffset: { value: 2 ** 31 },
        buffer: { value: new ArrayBuffer(1) },
      });
      try {
        use(lying);
      } catch {}
    }
  }
  return "done";
};
