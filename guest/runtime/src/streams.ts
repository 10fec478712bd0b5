// The Streams API, from web-streams-polyfill, and the two encoding streams.
import {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from "web-streams-polyfill";
import { TextDecoder } from "./encoding.js";
import { finishInterface, install } from "./install.js";
import { native } from "./native.js";

/** Whether anybody has read from the stream or cancelled it. The library keeps what the standard calls [[disturbed]]. */
export function isDisturbed(stream: ReadableStream): boolean {
  return (stream as unknown as { _disturbed: boolean })._disturbed;
}

class TextEncoderStream {
  readonly #transform: TransformStream<string, Uint8Array>;
  constructor() {
    let high = ""; // An unpaired high surrogate waits for the next chunk.
    this.#transform = new TransformStream<string, Uint8Array>({
      transform(chunk, controller) {
        let text = high + `${chunk}`;
        high = /[\uD800-\uDBFF]$/.exec(text)?.[0] ?? "";
        if (high !== "") text = text.slice(0, -1);
        if (text !== "") controller.enqueue(native.utf8Encode(text));
      },
      flush(controller) {
        if (high !== "") controller.enqueue(native.utf8Encode(high));
      },
    });
  }
  get encoding(): string {
    return "utf-8";
  }
  get readable(): ReadableStream<Uint8Array> {
    return this.#transform.readable;
  }
  get writable(): WritableStream<string> {
    return this.#transform.writable;
  }
}

class TextDecoderStream {
  readonly #decoder: TextDecoder;
  readonly #transform: TransformStream<AllowSharedBufferSource, string>;
  constructor(label: string = "utf-8", options: TextDecoderOptions = {}) {
    const decoder = new TextDecoder(label, options);
    this.#decoder = decoder;
    this.#transform = new TransformStream<AllowSharedBufferSource, string>({
      transform(chunk, controller) {
        const text = decoder.decode(chunk, { stream: true });
        if (text !== "") controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text !== "") controller.enqueue(text);
      },
    });
  }
  get encoding(): string {
    return this.#decoder.encoding;
  }
  get fatal(): boolean {
    return this.#decoder.fatal;
  }
  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }
  get readable(): ReadableStream<string> {
    return this.#transform.readable;
  }
  get writable(): WritableStream<AllowSharedBufferSource> {
    return this.#transform.writable;
  }
}

finishInterface(TextEncoderStream, "TextEncoderStream");
finishInterface(TextDecoderStream, "TextDecoderStream");
install({
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TextDecoderStream,
  TextEncoderStream,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
});

export { ReadableStream, TransformStream };
