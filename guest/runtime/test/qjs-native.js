// A stand-in for the guest's C++ glue in a stock `qjs`, which is the real engine without the
// sandbox. The tests prepend it to what they run when QJS names such a program.
import * as os from "os";
import * as std from "std";

{
  const starts = [];
  const timers = new Map();
  let nextTimer = 1;
  const encode = (text) => {
    const binary = unescape(encodeURIComponent(text.toWellFormed()));
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; ++i) bytes[i] = binary.charCodeAt(i);
    return bytes;
  };
  // The WHATWG decoder, byte by byte.
  const decode = (bytes, fatal) => {
    let text = "";
    let point = 0;
    let needed = 0;
    let low = 0x80;
    let high = 0xbf;
    const bad = () => {
      if (fatal) throw new TypeError("The encoded data was not valid for encoding utf-8");
      text += "\uFFFD";
      needed = 0;
      low = 0x80;
      high = 0xbf;
    };
    for (let i = 0; i < bytes.length; ++i) {
      const byte = bytes[i];
      if (needed === 0) {
        if (byte < 0x80) text += String.fromCharCode(byte);
        else if (byte >= 0xc2 && byte <= 0xdf) [needed, point] = [1, byte & 0x1f];
        else if (byte >= 0xe0 && byte <= 0xef) {
          if (byte === 0xe0) low = 0xa0;
          if (byte === 0xed) high = 0x9f;
          [needed, point] = [2, byte & 0xf];
        } else if (byte >= 0xf0 && byte <= 0xf4) {
          if (byte === 0xf0) low = 0x90;
          if (byte === 0xf4) high = 0x8f;
          [needed, point] = [3, byte & 0x7];
        } else bad();
      } else if (byte < low || byte > high) {
        bad();
        --i;
      } else {
        low = 0x80;
        high = 0xbf;
        point = (point << 6) | (byte & 0x3f);
        if (--needed === 0) text += String.fromCodePoint(point);
      }
    }
    if (needed > 0) bad();
    return text;
  };
  delete globalThis.console;
  delete globalThis.performance;
  const started = os.now();
  globalThis.__native = {
    log: (stream, text) => (stream === 1 ? std.out : std.err).puts(text),
    clock: (kind) => (kind === 0 ? Date.now() : os.now() - started),
    randomFill: (bytes) => {
      for (let i = 0; i < bytes.length; ++i) bytes[i] = Math.floor(Math.random() * 256);
    },
    utf8Encode: encode,
    utf8Decode: decode,
    setTimer(callback, delay, repeat) {
      const id = nextTimer++;
      const fire = () => {
        if (repeat) timers.set(id, os.setTimeout(fire, delay));
        else timers.delete(id);
        callback();
      };
      timers.set(id, os.setTimeout(fire, delay));
      return id;
    },
    clearTimer(id) {
      if (timers.has(id)) os.clearTimeout(timers.get(id));
      timers.delete(id);
    },
    enqueueJob: (callback) => void Promise.resolve().then(callback),
    onStart: (callback) => void starts.push(callback),
    setDescribeErrorText: (describe) => {
      globalThis.__describeErrorText = describe;
      globalThis.__describeError = (error) => JSON.parse(describe(error));
    },
  };
  globalThis.__start = () => starts.forEach((callback) => callback());
}
