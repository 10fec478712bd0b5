// setTimeout and its kin over the host's timers, queueMicrotask, performance, crypto.
import { finishInterface, install } from "./install.js";
import { native } from "./native.js";
import { subtle } from "./subtle.js";

const DELAY_MS_MAX = 0x7fffffff;

function delayMs(delay: unknown): number {
  const number = Math.trunc(Number(delay));
  if (!(number > 0)) return 0;
  return number > DELAY_MS_MAX ? 1 : number; // As in browsers and Node: what overflows fires at once.
}

function start(
  name: string,
  callback: unknown,
  delay: unknown,
  repeat: boolean,
  args: unknown[],
): number {
  if (typeof callback !== "function") {
    throw new TypeError(`${name}: the callback must be a function, but is ${typeof callback}`);
  }
  const run = args.length === 0 ? () => callback() : () => callback(...args);
  return native.setTimer(run, delayMs(delay), repeat);
}

function clear(id: unknown): void {
  const number = Number(id);
  if (Number.isInteger(number) && number > 0) native.clearTimer(number);
}

install({
  setTimeout(callback: unknown, delay?: unknown, ...args: unknown[]): number {
    return start("setTimeout", callback, delay, false, args);
  },
  setInterval(callback: unknown, delay?: unknown, ...args: unknown[]): number {
    return start("setInterval", callback, delay, true, args);
  },
  setImmediate(callback: unknown, ...args: unknown[]): number {
    return start("setImmediate", callback, 0, false, args);
  },
  clearTimeout(id?: unknown): void {
    clear(id);
  },
  clearInterval(id?: unknown): void {
    clear(id);
  },
  clearImmediate(id?: unknown): void {
    clear(id);
  },
  queueMicrotask(callback: unknown): void {
    if (typeof callback !== "function") {
      throw new TypeError(
        `queueMicrotask: the callback must be a function, but is ${typeof callback}`,
      );
    }
    native.enqueueJob(() => callback());
  },
});

let origin: number | undefined;
native.onStart(() => {
  origin = undefined;
});

class Performance {
  get timeOrigin(): number {
    origin ??= native.clock(0) - native.clock(1); // Throws where there is no time.
    return origin;
  }
  now(): number {
    return native.clock(1);
  }
  toJSON(): object {
    return { timeOrigin: this.timeOrigin };
  }
}
finishInterface(Performance, "Performance");

const RANDOM_BYTES_MAX = 65_536;

class Crypto {
  get subtle(): typeof subtle {
    return subtle;
  }

  getRandomValues<T extends ArrayBufferView>(array: T): T {
    if (
      !ArrayBuffer.isView(array) ||
      array instanceof DataView ||
      /Float/.test(Object.prototype.toString.call(array))
    ) {
      throw new DOMException("getRandomValues needs an integer typed array", "TypeMismatchError");
    }
    if (array.byteLength > RANDOM_BYTES_MAX) {
      throw new DOMException(
        `getRandomValues fills at most ${RANDOM_BYTES_MAX} bytes, not ${array.byteLength}`,
        "QuotaExceededError",
      );
    }
    native.randomFill(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return array;
  }

  randomUUID(): string {
    const bytes = new Uint8Array(16);
    native.randomFill(bytes);
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40; // version 4
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80; // variant 1
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      hex.slice(12, 16),
      hex.slice(16, 20),
      hex.slice(20),
    ].join("-");
  }
}
finishInterface(Crypto, "Crypto");

class Navigator {
  get userAgent(): string {
    return "SchemaScript/0.1.0";
  }
}
finishInterface(Navigator, "Navigator");

install({
  Performance,
  performance: new Performance(),
  Crypto,
  crypto: new Crypto(),
  Navigator,
  navigator: new Navigator(),
  self: globalThis,
});
