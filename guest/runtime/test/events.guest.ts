// Event, EventTarget, AbortController, AbortSignal, timers, microtasks, streams, crypto,
// performance.
import { attempt, attemptAsync, equal, show, test, throws } from "./harness.js";

const CaptureError = Error as ErrorConstructor & {
  captureStackTrace(target: object, maker?: Function): void;
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

test("listeners are called in order, once each, and can stop", () => {
  const target = new EventTarget();
  const seen: string[] = [];
  const listener = (event: Event): void =>
    void seen.push(`a ${event.type} ${event.target === target}`);
  target.addEventListener("x", listener);
  target.addEventListener("x", listener);
  target.addEventListener("x", { handleEvent: () => void seen.push("object") });
  target.addEventListener("x", () => void seen.push("once"), { once: true });
  equal(target.dispatchEvent(new Event("x")), true);
  target.removeEventListener("x", listener);
  target.addEventListener("x", (event) => event.stopImmediatePropagation());
  target.addEventListener("x", () => void seen.push("never"));
  target.dispatchEvent(new Event("x"));
  equal(seen, ["a x true", "object", "once", "object"]);
});

test("preventDefault needs a cancelable event", () => {
  const target = new EventTarget();
  target.addEventListener("x", (event) => event.preventDefault());
  equal(
    [
      target.dispatchEvent(new Event("x")),
      target.dispatchEvent(new Event("x", { cancelable: true })),
    ],
    [true, false],
  );
});

test("CustomEvent carries a detail", () => {
  equal(
    [
      new CustomEvent("x", { detail: 5 }).detail,
      new CustomEvent("x").detail,
      new CustomEvent("x") instanceof Event,
    ],
    [5, null, true],
  );
});

test("a listener of a signal goes with it", () => {
  const target = new EventTarget();
  const controller = new AbortController();
  let calls = 0;
  target.addEventListener("x", () => void ++calls, { signal: controller.signal });
  target.dispatchEvent(new Event("x"));
  controller.abort();
  target.dispatchEvent(new Event("x"));
  equal(calls, 1);
});

test("abort", () => {
  const { signal } = new AbortController();
  show("fresh", [signal.aborted, signal.reason]);
  signal.throwIfAborted();
  const controller = new AbortController();
  const seen: string[] = [];
  controller.signal.onabort = (event) => void seen.push(`on ${event.type}`);
  controller.signal.addEventListener("abort", () => void seen.push("listener"));
  controller.abort();
  controller.abort("again");
  show("aborted", [
    controller.signal.aborted,
    (controller.signal.reason as Error).name,
    (controller.signal.reason as DOMException).code,
    seen,
  ]);
  throws(() => controller.signal.throwIfAborted(), "AbortError");
  show("static", [AbortSignal.abort(4).reason, (AbortSignal.abort().reason as Error).name]);
  throws(() => new AbortSignal(), "TypeError");
  show("tags", [
    String(controller),
    String(controller.signal),
    controller.signal instanceof EventTarget,
  ]);
});

test("AbortSignal.any follows the first of many", () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const any = AbortSignal.any([first.signal, second.signal]);
  const nested = AbortSignal.any([any]);
  const seen: unknown[] = [];
  nested.addEventListener("abort", () => void seen.push(any.aborted, nested.reason));
  AbortSignal.any([first.signal]).addEventListener("abort", () => void seen.push("kept alive"));
  second.abort(2);
  first.abort(1);
  equal([any.reason, nested.reason, seen], [2, 2, [true, 2, "kept alive"]]);
  equal(AbortSignal.any([AbortSignal.abort(7), first.signal]).reason, 7);
  equal(AbortSignal.any([]).aborted, false);
});

test("AbortSignal.timeout aborts later", async () => {
  const signal = AbortSignal.timeout(5);
  equal(signal.aborted, false);
  await sleep(40);
  equal([signal.aborted, (signal.reason as Error).name], [true, "TimeoutError"]);
});

test("timers fire in order, with arguments, until cleared", async () => {
  const seen: unknown[] = [];
  setTimeout((a: string, b: number) => void seen.push(a, b), 20, "late", 2);
  setTimeout(() => void seen.push("early"), 1);
  clearTimeout(setTimeout(() => void seen.push("never"), 1));
  let ticks = 0;
  await new Promise<void>((resolve) => {
    const id = setInterval(() => {
      if (++ticks === 3) {
        clearInterval(id);
        resolve();
      }
    }, 2);
  });
  await sleep(40);
  equal([seen, ticks], [["early", "late", 2], 3]);
  clearTimeout(undefined);
  clearTimeout(123456);
  throws(() => setTimeout("code" as never), "TypeError");
});

test("microtasks come before timers", async () => {
  const seen: string[] = [];
  setTimeout(() => void seen.push("timer"), 0);
  queueMicrotask(() => void seen.push("microtask"));
  void Promise.resolve().then(() => void seen.push("promise"));
  seen.push("now");
  await sleep(20);
  equal(seen, ["now", "microtask", "promise", "timer"]);
  throws(() => queueMicrotask(5 as never), "TypeError");
});

test("streams pipe, transform and tee", async () => {
  const source = new ReadableStream<number>({
    start(controller) {
      for (const n of [1, 2, 3]) controller.enqueue(n);
      controller.close();
    },
  });
  const doubled = source.pipeThrough(
    new TransformStream<number, number>({
      transform: (n, controller) => controller.enqueue(n * 2),
    }),
  );
  const [left, right] = doubled.tee();
  const collect = async (stream: ReadableStream<unknown>): Promise<unknown[]> => {
    const all: unknown[] = [];
    for await (const value of stream as unknown as AsyncIterable<unknown>) all.push(value);
    return all;
  };
  equal(await Promise.all([collect(left), collect(right)]), [
    [2, 4, 6],
    [2, 4, 6],
  ]);
  const written: string[] = [];
  const text = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const bytes of [[0xc3], [0xa9, 0x41]]) controller.enqueue(new Uint8Array(bytes));
      controller.close();
    },
  });
  await text
    .pipeThrough(new TextDecoderStream() as never)
    .pipeTo(new WritableStream<string>({ write: (chunk) => void written.push(chunk) }));
  equal(written.join(""), "éA");
});

test("a stream's error reaches its reader", async () => {
  const broken = new ReadableStream({
    pull() {
      throw new RangeError("broken");
    },
  });
  await attemptAsync("read", () => broken.getReader().read());
  const reader = new ReadableStream().getReader();
  const closed = reader.closed.then(() => "closed");
  await reader.cancel("enough");
  equal(await closed, "closed");
});

test("crypto", () => {
  equal(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(
      crypto.randomUUID(),
    ),
    true,
  );
  equal(crypto.randomUUID() === crypto.randomUUID(), false);
  const array = new Uint32Array(64);
  equal(crypto.getRandomValues(array) === array, true);
  equal(new Set(array).size > 60, true);
  attempt("too much", () => crypto.getRandomValues(new Uint8Array(65_537)));
  attempt("floats", () => crypto.getRandomValues(new Float32Array(1)));
  const part = new Uint8Array(64);
  crypto.getRandomValues(part.subarray(16, 48));
  equal([part.slice(0, 16), part.slice(48)], [new Uint8Array(16), new Uint8Array(16)]);
});

test("performance moves forward", async () => {
  const before = performance.now();
  await sleep(5);
  const passed = performance.now() - before;
  equal(passed >= 3 && passed < 5000, true);
  equal(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000, true);
});

test("captureStackTrace writes frames and drops the maker's", () => {
  function maker(target: { stack?: string }): void {
    CaptureError.captureStackTrace(target, maker);
  }
  function caller(): string {
    const target: { stack?: string } = {};
    maker(target);
    return target.stack ?? "";
  }
  const stack = caller();
  equal(
    [/at caller/.test(stack), /at maker/.test(stack), /captureStackTrace/.test(stack)],
    [true, false, false],
  );
  equal(
    Object.keys(
      Object.assign(
        {},
        (() => {
          const t = {};
          CaptureError.captureStackTrace(t);
          return t;
        })(),
      ),
    ),
    [],
  );
});
