// Node's Buffer for drizzle-orm's blob columns, which import it here (build.mjs): a sandbox has none, and a global one would make libraries
// take it for Node. It has what those columns use.
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Buffer extends Uint8Array {
  static isBuffer(value) {
    return value instanceof Buffer;
  }

  /** Of a text its UTF-8; of bytes a view of the same memory. */
  static from(value, offset, length) {
    if (typeof value === "string") return Buffer.from(encoder.encode(value));
    if (ArrayBuffer.isView(value))
      return new Buffer(value.buffer, value.byteOffset, value.byteLength);
    return new Buffer(value, offset, length);
  }

  /** As UTF-8, as Node's does unless it is told otherwise. */
  toString() {
    return decoder.decode(this);
  }
}
