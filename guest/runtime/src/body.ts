// What Request and Response have in common: a body that is read once. The content stays what it was
// given as; a stream is only made when somebody asks for `body`.
import { Blob, blobBytes } from "./blob.js";
import { decodeMultipart, encodeMultipart, FormData } from "./form-data.js";
import type { Headers } from "./headers.js";
import { native } from "./native.js";
import { isDisturbed, ReadableStream, TransformStream } from "./streams.js";

export type Content = string | Uint8Array<ArrayBuffer> | ReadableStream;

/** A body's content and the Content-Type that it implies. */
export interface Extracted {
  content: Content;
  type: string | null;
}

/** The standard's "extract a body". */
export function extract(init: unknown): Extracted {
  if (typeof init === "string") return { content: init, type: "text/plain;charset=UTF-8" };
  if (init instanceof ReadableStream) {
    if (init.locked || isDisturbed(init))
      throw new TypeError("the stream of the body is locked or was already read");
    return { content: init, type: null };
  }
  if (init instanceof URLSearchParams) {
    return { content: init.toString(), type: "application/x-www-form-urlencoded;charset=UTF-8" };
  }
  if (init instanceof Blob)
    return { content: blobBytes(init), type: init.type === "" ? null : init.type };
  if (init instanceof FormData) {
    const { bytes, type } = encodeMultipart(init);
    return { content: bytes, type };
  }
  if (init instanceof ArrayBuffer) return { content: new Uint8Array(init.slice(0)), type: null };
  if (ArrayBuffer.isView(init)) {
    return {
      content: new Uint8Array(init.buffer, init.byteOffset, init.byteLength).slice(),
      type: null,
    };
  }
  if (typeof init === "object" && init !== null && Symbol.asyncIterator in init) {
    return { content: ReadableStream.from(init as AsyncIterable<unknown>), type: null };
  }
  return { content: `${init as string}`, type: "text/plain;charset=UTF-8" };
}

function toStream(content: string | Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  // No byte is handed out before somebody reads.
  return new ReadableStream<Uint8Array>({
    type: "bytes",
    pull(controller) {
      // A copy: the reader may keep or detach what it gets, and a clone of the body shares the
      // content.
      const bytes = typeof content === "string" ? native.utf8Encode(content) : content.slice();
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

async function readAll(stream: ReadableStream): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!(value instanceof Uint8Array)) {
      const error = new TypeError("a stream that is a body must yield Uint8Array chunks");
      void reader.cancel(error).catch(() => {});
      throw error;
    }
    chunks.push(value);
    size += value.byteLength;
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

function utf8(bytes: Uint8Array): string {
  const text = native.utf8Decode(bytes, false);
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** Takes the body out of an object: what `new Request(request)` does with its argument. */
export let takeBody: (body: Body) => Content | null;

/** Gives both the object and a clone of it a body of their own. */
export let shareBody: (body: Body) => Content | null;

/** Whether there is a body, also one that was read; asking for `body` would make a stream. */
export let hasBody: (body: Body) => boolean;

/** Hands a body to the host: its content, which is then used. Throws when it was used before. */
export let openBody: (body: Body) => Content | null;

export abstract class Body {
  #content: Content | null;
  #stream: ReadableStream | undefined;
  #used = false;

  /** Of the object that has this body. */
  abstract get headers(): Headers;

  constructor(content: Content | null) {
    this.#content = content;
    if (content instanceof ReadableStream) this.#stream = content;
  }

  static {
    hasBody = (body) => body.#content !== null;
    takeBody = (body) => {
      body.#refuseUsed();
      const content = body.#stream ?? body.#content;
      if (content === null) return null;
      body.#used = true;
      if (!(content instanceof ReadableStream)) return content;
      // The old object keeps its stream, locked; the new one reads through a pipe.
      return content.pipeThrough(new TransformStream());
    };
    openBody = (body) => {
      body.#refuseUsed();
      const content = body.#stream ?? body.#content;
      if (content !== null && !(content instanceof ReadableStream)) body.#used = true;
      return content;
    };
    shareBody = (body) => {
      body.#refuseUsed();
      if (body.#stream === undefined) return body.#content;
      const [kept, given] = body.#stream.tee();
      body.#stream = kept;
      return given;
    };
  }

  get body(): ReadableStream | null {
    if (this.#content === null) return null;
    if (this.#stream === undefined) {
      this.#stream = toStream(this.#content as string | Uint8Array<ArrayBuffer>);
      // What was read before anybody asked for the stream: show one that is used up.
      if (this.#used) void this.#stream.cancel();
    }
    return this.#stream;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#stream !== undefined && isDisturbed(this.#stream));
  }

  #refuseUsed(): void {
    if (this.bodyUsed || this.#stream?.locked)
      throw new TypeError("the body is locked or was already read");
  }

  // The body as the caller likes it best: text that was given as text is never encoded.
  async #take(): Promise<string | Uint8Array<ArrayBuffer>> {
    this.#refuseUsed();
    if (this.#content === null) return "";
    this.#used = true;
    if (this.#stream !== undefined) return await readAll(this.#stream);
    return this.#content as string | Uint8Array<ArrayBuffer>;
  }

  async text(): Promise<string> {
    const content = await this.#take();
    if (typeof content !== "string") return utf8(content);
    const text = content.toWellFormed();
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }
  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const content = await this.#take();
    return typeof content === "string" ? native.utf8Encode(content) : content.slice();
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }
  async blob(): Promise<Blob> {
    const bytes = await this.bytes();
    const type = this.headers.get("content-type") ?? "";
    return new Blob([bytes], { type: type.replace(/[ \t]*;[ \t]*/g, ";") });
  }
  async formData(): Promise<FormData> {
    const type = this.headers.get("content-type") ?? "";
    const essence = (type.split(";")[0] as string).trim().toLowerCase();
    if (essence === "multipart/form-data") {
      const boundary = /;[ \t]*boundary=(?:"([^"]+)"|([^;"\s]+))/i.exec(type);
      if (boundary === null) throw new TypeError("multipart/form-data without a boundary");
      return decodeMultipart(await this.bytes(), (boundary[1] ?? boundary[2]) as string);
    }
    if (essence === "application/x-www-form-urlencoded") {
      const form = new FormData();
      for (const [name, value] of new URLSearchParams(await this.text())) form.append(name, value);
      return form;
    }
    throw new TypeError(`formData() cannot read a body of type "${type}"`);
  }
}
