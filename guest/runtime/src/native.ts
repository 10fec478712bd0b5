// What the guest's C++ glue (guest/src) lends to the runtime. This module runs first: it takes the
// object away from globalThis, so no user code ever sees it.

/** What the host is told about anything that was thrown. Plain, bounded, and safe to print. */
export interface Description {
  /** The error's name; "" for a thrown value that is no error. */
  name: string;
  message: string;
  /** QuickJS's frames, one a line, without the "name: message" line in front; "" when there are none. */
  stack: string;
  code?: string | number;
  violation?: string;
  table?: string;
  columns?: string[];
  cause?: Description;
  errors?: Description[];
}

export interface Native {
  log(stream: 1 | 2, text: string): void;
  /** 0: wall clock, 1: monotonic; milliseconds. In the base snapshot both answer 0; while an app is loaded for its snapshot this, randomFill and setTimer throw. */
  clock(kind: 0 | 1): number;
  /** Fills at most 65,536 bytes. */
  randomFill(bytes: Uint8Array): void;
  utf8Encode(text: string): Uint8Array<ArrayBuffer>;
  utf8Decode(bytes: Uint8Array, fatal: boolean): string;
  setTimer(callback: () => void, delayMs: number, repeat: boolean): number;
  clearTimer(id: number): void;
  enqueueJob(callback: () => void): void;
  /** The callbacks run, in order, after each restore from a snapshot. */
  onStart(callback: () => void): void;
  /** The function answers the JSON text of a Description, made here: what user code did to Object.prototype must not get into the way. */
  setDescribeErrorText(describe: (error: unknown) => string): void;

  // What follows makes things better where it exists, and nothing depends on it.

  /** JS_PromiseState and JS_PromiseResult: lets console.log show what a promise holds. */
  promiseState?(promise: Promise<unknown>): readonly [state: 0 | 1 | 2, result?: unknown];
  /** JS_DetachArrayBuffer: with it ArrayBuffer.prototype.transfer exists, and streams hand over buffers uncopied. */
  detachArrayBuffer?(buffer: ArrayBuffer): void;
  /** The event loop no longer waits for this timer. */
  unrefTimer?(id: number): void;
  /** Whether parsing would leave this URL as it is; see guest/src/url.h. */
  isNormalUrl?(url: string): boolean;
  /** The name of a header in lower case; undefined when it is none. */
  cleanHeaderName(name: string): string | undefined;
  /** The value of a header without the blanks around it; undefined when it holds what none may. */
  cleanHeaderValue(value: string): string | undefined;
  /** The host is to pass the next piece of the request's body. */
  wantBody?(): void;
  /** What serve.ts offers to the glue, which calls it for a server's requests. */
  setServer?(server: object): void;
}

const holder = globalThis as { __native?: Native };
if (holder.__native === undefined) throw new Error("the guest's globals need __native");
export const native: Native = holder.__native;
delete holder.__native;
