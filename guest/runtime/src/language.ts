// What ECMAScript gained after QuickJS 2025-04-26, from core-js, and V8's Error.captureStackTrace.
import "core-js/modules/es.error.is-error.js";
import "core-js/modules/es.suppressed-error.constructor.js";
import "core-js/modules/es.symbol.dispose.js";
import "core-js/modules/es.symbol.async-dispose.js";
import "core-js/modules/es.iterator.constructor.js";
import "core-js/modules/es.iterator.concat.js";
import "core-js/modules/es.iterator.dispose.js";
import "core-js/modules/es.iterator.drop.js";
import "core-js/modules/es.iterator.every.js";
import "core-js/modules/es.iterator.filter.js";
import "core-js/modules/es.iterator.find.js";
import "core-js/modules/es.iterator.flat-map.js";
import "core-js/modules/es.iterator.for-each.js";
import "core-js/modules/es.iterator.from.js";
import "core-js/modules/es.iterator.map.js";
import "core-js/modules/es.iterator.reduce.js";
import "core-js/modules/es.iterator.some.js";
import "core-js/modules/es.iterator.take.js";
import "core-js/modules/es.iterator.to-array.js";
import "core-js/modules/es.async-iterator.async-dispose.js";
import "core-js/modules/es.disposable-stack.constructor.js";
import "core-js/modules/es.async-disposable-stack.constructor.js";
import "core-js/modules/es.array.from-async.js";
import "core-js/modules/es.map.get-or-insert.js";
import "core-js/modules/es.map.get-or-insert-computed.js";
import "core-js/modules/es.weak-map.get-or-insert.js";
import "core-js/modules/es.weak-map.get-or-insert-computed.js";
import "core-js/modules/es.math.f16round.js";
import "core-js/modules/es.math.sum-precise.js";
import "core-js/modules/es.promise.try.js";
import "core-js/modules/es.regexp.escape.js";
import "core-js/modules/es.set.difference.v2.js";
import "core-js/modules/es.set.intersection.v2.js";
import "core-js/modules/es.set.is-disjoint-from.v2.js";
import "core-js/modules/es.set.is-subset-of.v2.js";
import "core-js/modules/es.set.is-superset-of.v2.js";
import "core-js/modules/es.set.symmetric-difference.v2.js";
import "core-js/modules/es.set.union.v2.js";
import "core-js/modules/es.uint8-array.from-base64.js";
import "core-js/modules/es.uint8-array.from-hex.js";
import "core-js/modules/es.uint8-array.set-from-base64.js";
import "core-js/modules/es.uint8-array.set-from-hex.js";
import "core-js/modules/es.uint8-array.to-base64.js";
import "core-js/modules/es.uint8-array.to-hex.js";
import { native } from "./native.js";

// The name of the function in a line of QuickJS's stack: "    at name (file:line:column)".
const FRAME_NAME = / {4}at (.*?)(?: \(|$)/;

/**
 * Like V8's: writes the present stack to `target.stack`, without the frames down to `constructorOpt`. Frames are
 * found by the function's name; when it is not among them, all are kept.
 */
function captureStackTrace(target: object, constructorOpt?: Function): void {
  // The engine's first line is this function.
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  if (typeof constructorOpt === "function" && constructorOpt.name !== "") {
    const found = frames.findIndex((line) => FRAME_NAME.exec(line)?.[1] === constructorOpt.name);
    if (found >= 0) frames.splice(0, found + 1);
  }
  Object.defineProperty(target, "stack", {
    value: frames.join("\n"),
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

// V8 has its own, which also stands in for ours when the tests run there.
if (!("captureStackTrace" in Error)) {
  Object.defineProperty(Error, "captureStackTrace", {
    value: captureStackTrace,
    writable: true,
    configurable: true,
  });
}

// ECMAScript 2024. Without a way to detach there is no honest implementation, so then there is
// none.
const detach = native.detachArrayBuffer;
if (detach !== undefined && !("transfer" in ArrayBuffer.prototype)) {
  const isDetached = (buffer: ArrayBuffer): boolean => {
    if (buffer.byteLength > 0) return false;
    try {
      new Uint8Array(buffer);
      return false;
    } catch {
      return true;
    }
  };
  const methods = {
    transfer(this: ArrayBuffer, newLength?: number): ArrayBuffer {
      const length = newLength === undefined ? this.byteLength : Number(newLength);
      const kept = new Uint8Array(this, 0, Math.min(length, this.byteLength));
      const moved = new Uint8Array(length);
      moved.set(kept);
      detach(this);
      return moved.buffer;
    },
    transferToFixedLength(this: ArrayBuffer, newLength?: number): ArrayBuffer {
      return methods.transfer.call(this, newLength);
    },
    get detached(): boolean {
      return isDetached(this as unknown as ArrayBuffer);
    },
  };
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(methods))) {
    Object.defineProperty(ArrayBuffer.prototype, name, { ...descriptor, enumerable: false });
  }
}
