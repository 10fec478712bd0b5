// TextEncoder and TextDecoder after https://encoding.spec.whatwg.org: UTF-8 (native), UTF-16 and
// windows-1252, which is what the labels "latin1" and "ascii" mean there. Other legacy encodings
// are refused.
import { finishInterface, install } from "./install.js";
import { native } from "./native.js";

export class TextEncoder {
  get encoding(): string {
    return "utf-8";
  }

  encode(input: string = ""): Uint8Array<ArrayBuffer> {
    return native.utf8Encode(`${input}`);
  }

  encodeInto(source: string, destination: Uint8Array): { read: number; written: number } {
    const text = `${source}`;
    if (!(destination instanceof Uint8Array)) {
      throw new TypeError("TextEncoder.encodeInto: the destination must be a Uint8Array");
    }
    const room = destination.byteLength;
    // One UTF-16 unit never needs more than three bytes, so this is all that can fit.
    const encoded = native.utf8Encode(text.slice(0, room + 1));
    if (encoded.byteLength <= room && text.length <= room + 1) {
      destination.set(encoded);
      return { read: text.length, written: encoded.byteLength };
    }
    let read = 0;
    let written = 0;
    while (read < text.length) {
      const point = text.codePointAt(read) as number;
      const size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      if (written + size > room) break;
      written += size;
      read += point < 0x10000 ? 1 : 2;
    }
    destination.set(native.utf8Encode(text.slice(0, read)));
    return { read, written };
  }
}

type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

const LABELS: Readonly<Record<Encoding, string>> = {
  "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
  "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
  "utf-16be": "unicodefffe utf-16be",
  "windows-1252":
    "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 " +
    "iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
};
const encodingByLabel = new Map<string, Encoding>();
for (const [encoding, labels] of Object.entries(LABELS)) {
  for (const label of labels.split(" ")) encodingByLabel.set(label, encoding as Encoding);
}

// Where windows-1252 differs from latin1: the bytes 0x80 to 0x9F.
const WINDOWS_1252_HIGH =
  "\u20AC\x81\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\x8D\u017D\x8F" +
  "\x90\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\x9D\u017E\u0178";

const NO_BYTES = new Uint8Array(0);
const UNITS_AT_ONCE = 4096;

function textFromUnits(units: ArrayLike<number>): string {
  let text = "";
  for (let start = 0; start < units.length; start += UNITS_AT_ONCE) {
    const part = Array.prototype.slice.call(units, start, start + UNITS_AT_ONCE) as number[];
    text += String.fromCharCode(...part);
  }
  return text;
}

// How many bytes at the end begin a UTF-8 sequence that more bytes could still complete.
function unfinishedUtf8(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; ++back) {
    const lead = bytes[bytes.length - back] as number;
    if ((lead & 0xc0) === 0x80) continue;
    const needed =
      lead >= 0xf0 && lead <= 0xf4
        ? 4
        : lead >= 0xe0 && lead < 0xf0
          ? 3
          : lead >= 0xc2 && lead < 0xe0
            ? 2
            : 1;
    if (needed <= back) return 0;
    if (back > 1) {
      const second = bytes[bytes.length - back + 1] as number;
      const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      if (second < lowest || second > highest) return 0;
    }
    return back;
  }
  return 0;
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

function viewOf(input: AllowSharedBufferSource | undefined): Uint8Array {
  if (input === undefined) return NO_BYTES;
  if (ArrayBuffer.isView(input))
    return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer)
    return new Uint8Array(input);
  throw new TypeError("TextDecoder.decode: the input must be an ArrayBuffer or a view of one");
}

export class TextDecoder {
  readonly #encoding: Encoding;
  readonly #fatal: boolean;
  readonly #ignoreBom: boolean;
  #pending: Uint8Array = NO_BYTES;
  #bomSeen = false;

  constructor(label: string = "utf-8", options: TextDecoderOptions = {}) {
    const encoding = encodingByLabel.get(
      `${label}`.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "").toLowerCase(),
    );
    if (encoding === undefined) throw new RangeError(`The "${label}" encoding is not supported`);
    this.#encoding = encoding;
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBom = Boolean(options?.ignoreBOM);
  }

  get encoding(): string {
    return this.#encoding;
  }

  get fatal(): boolean {
    return this.#fatal;
  }

  get ignoreBOM(): boolean {
    return this.#ignoreBom;
  }

  decode(input?: AllowSharedBufferSource, options: TextDecodeOptions = {}): string {
    const more = Boolean(options?.stream);
    const bytes = concatenate(this.#pending, viewOf(input));
    this.#pending = NO_BYTES;
    let text: string;
    try {
      text = this.#decodeBytes(bytes, more);
    } catch (error) {
      this.#pending = NO_BYTES;
      this.#bomSeen = false;
      throw error;
    }
    if (
      !this.#bomSeen &&
      !this.#ignoreBom &&
      text.length > 0 &&
      this.#encoding !== "windows-1252"
    ) {
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
      this.#bomSeen = true;
    }
    if (!more) this.#bomSeen = false;
    return text;
  }

  #decodeBytes(bytes: Uint8Array, more: boolean): string {
    switch (this.#encoding) {
      case "utf-8": {
        const kept = more ? unfinishedUtf8(bytes) : 0;
        if (kept > 0) this.#pending = bytes.slice(bytes.length - kept);
        return native.utf8Decode(
          kept > 0 ? bytes.subarray(0, bytes.length - kept) : bytes,
          this.#fatal,
        );
      }
      case "windows-1252":
        return textFromUnits(bytes).replace(
          /[\x80-\x9f]/g,
          (unit) => WINDOWS_1252_HIGH[unit.charCodeAt(0) - 0x80] as string,
        );
      default:
        return this.#decodeUtf16(bytes, more);
    }
  }

  #decodeUtf16(bytes: Uint8Array, more: boolean): string {
    const low = this.#encoding === "utf-16le" ? 0 : 1;
    const units = new Uint16Array(bytes.length >> 1);
    for (let i = 0; i < units.length; ++i) {
      units[i] = (bytes[2 * i + low] as number) | ((bytes[2 * i + 1 - low] as number) << 8);
    }
    let used = units.length;
    let odd = bytes.length % 2 === 1;
    if (more) {
      // A high surrogate waits for the other half, an odd byte for the other byte.
      if (used > 0 && ((units[used - 1] as number) & 0xfc00) === 0xd800) --used;
      this.#pending = bytes.slice(2 * used);
      odd = false;
    }
    let text = textFromUnits(units.subarray(0, used));
    // A half unit after an unpaired high surrogate is one error together with it.
    if (odd && !/[\uD800-\uDBFF]$/.test(text)) text += "\uD800";
    if (text.isWellFormed()) return text;
    if (this.#fatal)
      throw new TypeError("The encoded data was not valid for encoding " + this.#encoding);
    return text.toWellFormed();
  }
}

finishInterface(TextEncoder, "TextEncoder");
finishInterface(TextDecoder, "TextDecoder");
install({ TextEncoder, TextDecoder });
