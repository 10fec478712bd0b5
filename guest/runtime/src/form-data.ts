// FormData after https://xhr.spec.whatwg.org, and its two forms on the wire.
import { Blob, File, blobBytes } from "./blob.js";
import { finishInterface, install, showFields } from "./install.js";
import { native } from "./native.js";

type Entry = string | File;

function toEntry(value: unknown, filename: string | undefined): Entry {
  if (!(value instanceof Blob)) {
    if (filename !== undefined) throw new TypeError("FormData: only a Blob can have a file name");
    return `${value as string}`.toWellFormed();
  }
  if (value instanceof File && filename === undefined) return value;
  const lastModified = value instanceof File ? { lastModified: value.lastModified } : {};
  return new File([value], filename ?? "blob", { type: value.type, ...lastModified });
}

function need(method: string, given: number, needed: number): void {
  if (given < needed)
    throw new TypeError(
      `FormData.${method}: ${needed} arguments required, but only ${given} present`,
    );
}

export class FormData {
  #entries: [name: string, value: Entry][] = [];

  constructor(form?: undefined) {
    if (form !== undefined) throw new TypeError("FormData: there are no HTML forms here");
  }

  append(name: string, value: unknown, filename?: string): void {
    need("append", arguments.length, 2);
    this.#entries.push([
      `${name}`.toWellFormed(),
      toEntry(value, filename === undefined ? filename : `${filename}`),
    ]);
  }
  delete(name: string): void {
    need("delete", arguments.length, 1);
    this.#entries = this.#entries.filter(([key]) => key !== `${name}`);
  }
  get(name: string): Entry | null {
    need("get", arguments.length, 1);
    return this.#entries.find(([key]) => key === `${name}`)?.[1] ?? null;
  }
  getAll(name: string): Entry[] {
    need("getAll", arguments.length, 1);
    return this.#entries.filter(([key]) => key === `${name}`).map(([, value]) => value);
  }
  has(name: string): boolean {
    need("has", arguments.length, 1);
    return this.#entries.some(([key]) => key === `${name}`);
  }
  set(name: string, value: unknown, filename?: string): void {
    need("set", arguments.length, 2);
    const key = `${name}`.toWellFormed();
    const entry: [string, Entry] = [
      key,
      toEntry(value, filename === undefined ? filename : `${filename}`),
    ];
    const place = this.#entries.findIndex(([other]) => other === key);
    if (place < 0) {
      this.#entries.push(entry);
    } else {
      this.#entries[place] = entry;
      this.#entries = this.#entries.filter(([other], index) => index <= place || other !== key);
    }
  }
  forEach(
    callback: (value: Entry, name: string, parent: FormData) => void,
    thisArgument?: unknown,
  ): void {
    if (typeof callback !== "function")
      throw new TypeError("FormData.forEach: the callback must be a function");
    for (const [name, value] of this) callback.call(thisArgument, value, name, this);
  }
  *entries(): IterableIterator<[string, Entry]> {
    for (let i = 0; i < this.#entries.length; ++i) {
      const [name, value] = this.#entries[i] as [string, Entry];
      yield [name, value];
    }
  }
  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name;
  }
  *values(): IterableIterator<Entry> {
    for (const [, value] of this.entries()) yield value;
  }
  declare [Symbol.iterator]: () => IterableIterator<[string, Entry]>;
}
finishInterface(FormData, "FormData");
Object.defineProperty(FormData.prototype, Symbol.iterator, {
  value: FormData.prototype.entries,
  writable: true,
  configurable: true,
});
showFields(FormData, (form) => [...form].map(([name, value]) => ({ name, value })));
install({ FormData });

function escapeName(name: string, isFileName: boolean): string {
  const text = isFileName ? name : name.replace(/\r\n?|\n/g, "\r\n");
  return text.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22");
}

/** Encodes as multipart/form-data, with a fresh random boundary. */
export function encodeMultipart(form: FormData): { bytes: Uint8Array<ArrayBuffer>; type: string } {
  const random = new Uint8Array(12);
  native.randomFill(random);
  const boundary = `----SchemaScriptFormBoundary${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  const parts: unknown[] = [];
  for (const [name, value] of form) {
    parts.push(
      `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name, false)}"`,
    );
    if (typeof value === "string") {
      parts.push(`\r\n\r\n${value.replace(/\r\n?|\n/g, "\r\n")}\r\n`);
    } else {
      const type = value.type || "application/octet-stream";
      parts.push(
        `; filename="${escapeName(value.name, true)}"\r\nContent-Type: ${type}\r\n\r\n`,
        value,
        "\r\n",
      );
    }
  }
  parts.push(`--${boundary}--\r\n`);
  return { bytes: blobBytes(new Blob(parts)), type: `multipart/form-data; boundary=${boundary}` };
}

function findBytes(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] as number;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + wanted.length > bytes.length) return -1;
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted[same]) ++same;
    if (same === wanted.length) return at;
  }
  return -1;
}

function unescapeName(text: string): string {
  return text.replace(/%0A/gi, "\n").replace(/%0D/gi, "\r").replace(/%22/g, '"');
}

function malformed(what: string): TypeError {
  return new TypeError(`the body is not valid multipart/form-data: ${what}`);
}

/** Decodes multipart/form-data. Throws TypeError where the bytes do not keep to it. */
export function decodeMultipart(bytes: Uint8Array, boundary: string): FormData {
  const form = new FormData();
  const delimiter = native.utf8Encode(`\r\n--${boundary}`);
  const headerEnd = native.utf8Encode("\r\n\r\n");
  // The first delimiter stands at the beginning or after a preamble.
  const firstDelimiter = delimiter.subarray(2);
  let at = firstDelimiter.length;
  if (findBytes(bytes.subarray(0, at), firstDelimiter, 0) !== 0) {
    const found = findBytes(bytes, delimiter, 0);
    if (found < 0) throw malformed("it does not have its boundary");
    at = found + delimiter.length;
  }
  for (;;) {
    if (bytes[at] === 0x2d && bytes[at + 1] === 0x2d) return form;
    if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a)
      throw malformed("a boundary does not end its line");
    const headersFrom = at + 2;
    const headersTo = findBytes(bytes, headerEnd, at);
    if (headersTo < 0) throw malformed("a part has no end of its headers");
    const bodyFrom = headersTo + headerEnd.length;
    // An empty body's delimiter begins with the line end that also ends the headers.
    const bodyTo = findBytes(bytes, delimiter, bodyFrom - 2);
    if (bodyTo < 0) throw malformed("it is cut off");
    const headers = native.utf8Decode(
      bytes.subarray(headersFrom, Math.max(headersFrom, headersTo)),
      false,
    );
    const disposition =
      /^content-disposition:[ \t]*form-data[ \t]*;(.*)$/im.exec(headers)?.[1] ?? "";
    const name = /(?:^|[;\s])name="([^"]*)"/i.exec(disposition)?.[1];
    if (name === undefined) throw malformed("a part has no name");
    const filename = /(?:^|[;\s])filename="([^"]*)"/i.exec(disposition)?.[1];
    const body = bytes.subarray(bodyFrom, Math.max(bodyFrom, bodyTo));
    if (filename === undefined) {
      const text = native.utf8Decode(body, false);
      form.append(unescapeName(name), text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
    } else {
      const type = /^content-type:[ \t]*(.*?)[ \t]*$/im.exec(headers)?.[1] ?? "text/plain";
      form.append(unescapeName(name), new File([body], unescapeName(filename), { type }));
    }
    at = bodyTo + delimiter.length;
  }
}
