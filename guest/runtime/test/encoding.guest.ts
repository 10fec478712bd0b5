// TextEncoder, TextDecoder, atob, btoa.
import { attempt, equal, show, test, throws } from "./harness.js";

const BYTES: readonly (readonly number[])[] = [
  [],
  [0x41],
  [0xef, 0xbb, 0xbf, 0x41],
  [0xef, 0xbb],
  [0xc3, 0xa9],
  [0xc3],
  [0xe2, 0x82],
  [0xf0, 0x9f, 0x98, 0x80],
  [0xf0, 0x9f, 0x98],
  [0x80],
  [0xff, 0xfe],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe0, 0x80, 0x80],
  [0xf0, 0x80, 0x80, 0x80],
  [0x41, 0xc3, 0x28, 0x42],
  [0xe2, 0x28, 0xa1],
  [0xe2, 0x82, 0x28],
  [0xf0, 0x28, 0x8c, 0xbc],
  [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x42],
];
const LABELS = [
  "utf-8",
  "UTF8",
  " utf-8\n",
  "unicode-1-1-utf-8",
  "utf-16le",
  "utf-16",
  "utf-16be",
  "latin1",
  "ascii",
  "iso-8859-1",
  "windows-1252",
  "",
  "utf-7",
  "nope",
];

test("labels name the encodings that they name in Node", () => {
  for (const label of LABELS)
    attempt(`label ${JSON.stringify(label)}`, () => new TextDecoder(label).encoding);
});

test("bytes decode as in Node", () => {
  for (const bytes of BYTES) {
    for (const options of [{}, { fatal: true }, { ignoreBOM: true }]) {
      attempt(`utf-8 ${bytes} ${JSON.stringify(options)}`, () =>
        new TextDecoder("utf-8", options).decode(new Uint8Array(bytes)),
      );
      attempt(`utf-16le ${bytes} ${JSON.stringify(options)}`, () =>
        new TextDecoder("utf-16le", options).decode(new Uint8Array(bytes)),
      );
    }
  }
});

test("a stream decodes like the whole, wherever it is cut", () => {
  const whole = [
    0xef, 0xbb, 0xbf, 0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x28, 0xf0,
    0x9f, 0x41, 0xed, 0xa0, 0x80, 0xc3,
  ];
  for (const encoding of ["utf-8", "utf-16le", "utf-16be"]) {
    const expected = new TextDecoder(encoding).decode(new Uint8Array(whole));
    for (let size = 1; size < 6; ++size) {
      const decoder = new TextDecoder(encoding);
      let text = "";
      for (let at = 0; at < whole.length; at += size) {
        text += decoder.decode(new Uint8Array(whole.slice(at, at + size)), { stream: true });
      }
      equal(text + decoder.decode(), expected, `${encoding} in pieces of ${size}`);
    }
  }
});

test("a decoder starts anew after the end of a stream", () => {
  const decoder = new TextDecoder();
  equal(decoder.decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])), "a");
  equal(decoder.decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x62])), "b");
  const fatal = new TextDecoder("utf-8", { fatal: true });
  throws(() => fatal.decode(new Uint8Array([0xff])), "TypeError");
  equal(fatal.decode(new Uint8Array([0x61])), "a");
});

test("decode takes every kind of buffer", () => {
  const bytes = new Uint8Array([1, 0x61, 0x62, 2]);
  equal(new TextDecoder().decode(bytes.subarray(1, 3)), "ab");
  equal(new TextDecoder().decode(new DataView(bytes.buffer, 1, 1)), "a");
  equal(new TextDecoder().decode(bytes.buffer.slice(1, 2)), "a");
  equal(new TextDecoder().decode(), "");
  throws(() => new TextDecoder().decode("text" as never), "TypeError");
});

test("text encodes as UTF-8", () => {
  for (const text of ["", "a", "é€😀", "\uD800", "a\uDC00b", "\0"])
    show(`encode ${JSON.stringify(text)}`, new TextEncoder().encode(text));
  show("nothing", new TextEncoder().encode());
  equal(new TextEncoder().encoding, "utf-8");
});

test("encodeInto writes whole characters only", () => {
  for (const text of ["abc", "é€😀x", "a\uD800b", "\uD83D"]) {
    for (let room = 0; room < 12; ++room) {
      const target = new Uint8Array(room);
      const { read, written } = new TextEncoder().encodeInto(text, target);
      show(`encodeInto ${JSON.stringify(text)} ${room}`, [read, written, target]);
    }
  }
});

test("base64 both ways as in Node", () => {
  for (const text of ["", "a", "ab", "abc", "\xff\xfe\0", "é"])
    attempt(`btoa ${JSON.stringify(text)}`, () => btoa(text));
  for (const text of [
    "",
    "YQ==",
    "YQ",
    "Y Q = =",
    "YWI=",
    "YWJj",
    "////",
    "a",
    "ab=",
    "ab===",
    "@@",
    "YQ==YQ==",
    "-_-_",
  ]) {
    attempt(`atob ${JSON.stringify(text)}`, () => atob(text));
  }
  attempt("btoa of a wide character", () => btoa("€"));
  throws(() => btoa("€"), "InvalidCharacterError");
});
