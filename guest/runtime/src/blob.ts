// Blob and File after https://w3c.github.io/FileAPI. Everything is in memory, so a blob is one
// array of bytes; slices share it.
import { finishInterface, install, showFields } from "./install.js";
import { native } from "./native.js";
import { ReadableStream } from "./streams.js";

const STREAM_CHUNK_BYTES = 65_536;

/** The bytes of a blob, without a copy; the caller must not change them. */
export let blobBytes: (blob: Blob) => Uint8Array<ArrayBuffer>;

function partBytes(part: unknown, nativeEndings: boolean): Uint8Array {
  if (part instanceof ArrayBuffer) return new Uint8Array(part);
  if (ArrayBuffer.isView(part))
    return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  if (part instanceof Blob) return blobBytes(part);
  const text = `${part as string}`;
  return native.utf8Encode(nativeEndings ? text.replace(/\r\n?/g, "\n") : text);
}

function cleanType(type: unknown): string {
  const text = `${type as string}`;
  return /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : "";
}

function position(value: number, size: number): number {
  const whole = Math.trunc(Number(value)) || 0;
  return whole < 0 ? Math.max(size + whole, 0) : Math.min(whole, size);
}

export class Blob {
  #bytes: Uint8Array<ArrayBuffer>;
  #type: string;

  constructor(parts: Iterable<unknown> = [], options: BlobPropertyBag = {}) {
    if (
      typeof parts !== "object" ||
      parts === null ||
      typeof parts[Symbol.iterator] !== "function"
    ) {
      throw new TypeError("Blob: the parts must be a sequence");
    }
    if (options !== null && typeof options !== "object" && typeof options !== "function") {
      throw new TypeError("Blob: the options must be an object");
    }
    const endings = options?.endings === undefined ? "transparent" : `${options.endings}`;
    if (endings !== "transparent" && endings !== "native") {
      throw new TypeError(`Blob: '${endings}' is not a value of endings`);
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (const part of parts) {
      const chunk = partBytes(part, endings === "native");
      chunks.push(chunk);
      size += chunk.byteLength;
    }
    this.#bytes = new Uint8Array(size);
    let offset = 0;
    for (const chunk of chunks) {
      this.#bytes.set(chunk, offset);
      offset += chunk.byteLength;
    }
    this.#type = options?.type === undefined ? "" : cleanType(options.type);
  }

  static {
    blobBytes = (blob) => blob.#bytes;
  }

  get size(): number {
    return this.#bytes.byteLength;
  }
  get type(): string {
    return this.#type;
  }

  slice(start: number = 0, end: number = this.size, type: string = ""): Blob {
    const first = position(start, this.size);
    const blob = new Blob();
    blob.#bytes = this.#bytes.subarray(first, Math.max(first, position(end, this.size)));
    blob.#type = cleanType(type);
    return blob;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer;
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bytes.slice();
  }
  async text(): Promise<string> {
    const text = native.utf8Decode(this.#bytes, false);
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }
  stream(): ReadableStream<Uint8Array> {
    const bytes = this.#bytes;
    let offset = 0;
    return new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (offset < bytes.byteLength) {
          controller.enqueue(bytes.slice(offset, offset + STREAM_CHUNK_BYTES));
          offset += STREAM_CHUNK_BYTES;
        } else {
          controller.close();
          controller.byobRequest?.respond(0);
        }
      },
    });
  }
}

export class File extends Blob {
  readonly #name: string;
  readonly #lastModified: number;

  constructor(parts: Iterable<unknown>, name: string, options: FilePropertyBag = {}) {
    if (arguments.length < 2)
      throw new TypeError(`File: 2 arguments required, but only ${arguments.length} present`);
    super(parts, options);
    this.#name = `${name}`.toWellFormed();
    this.#lastModified =
      options?.lastModified === undefined
        ? Date.now()
        : Math.trunc(Number(options.lastModified)) || 0;
  }
  get name(): string {
    return this.#name;
  }
  get lastModified(): number {
    return this.#lastModified;
  }
}

finishInterface(Blob, "Blob");
finishInterface(File, "File");
showFields(Blob, ({ size, type }) => ({ size, type }));
showFields(File, ({ size, type, name, lastModified }) => ({ size, type, name, lastModified }));
install({ Blob, File });
