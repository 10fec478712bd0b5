// The names of the guest's functions, which perf and callgrind know as f123 of guest.so.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The names of functions, by index: the WebAssembly specification, appendix "Name Section". */
function namesOf(bytes) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  };
  const text = () => {
    const length = number();
    at += length;
    return bytes.toString("utf8", at - length, at);
  };
  const names = new Map();
  while (at < bytes.length) {
    const [kind, size] = [bytes[at++], number()];
    const end = at + size;
    if (kind === 0 && text() === "name") {
      while (at < end) {
        const [part, partSize] = [bytes[at++], number()];
        const partEnd = at + partSize;
        if (part === 1) {
          for (let left = number(); left > 0; --left) names.set(number(), text());
        }
        at = partEnd;
      }
    }
    at = end;
  }
  return names;
}

/** A function that names the guest's functions in a line about guest.so, of this build. */
export function guestNames(build) {
  const names = namesOf(readFileSync(join(build, "lib/schemascript/guest.wasm")));
  return (line) =>
    line.includes("guest.so")
      ? line.replace(/\bf(\d+)\b/g, (symbol, index) => names.get(Number(index)) ?? symbol)
      : line;
}
