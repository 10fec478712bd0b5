// Event, CustomEvent, EventTarget (event-target-shim), AbortController and AbortSignal after
// https://dom.spec.whatwg.org.
import {
  Event,
  EventTarget,
  getEventAttributeValue,
  setErrorHandler,
  setEventAttributeValue,
  setWarningHandler,
} from "event-target-shim";
import { finishInterface, install, showFields } from "./install.js";
import { native } from "./native.js";

// A listener that throws does not stop the others; reportError is defined by console.ts, later.
setErrorHandler((error) => globalThis.reportError(error));
setWarningHandler(() => {});

class CustomEvent<T = unknown> extends Event {
  readonly #detail: T;
  constructor(type: string, options?: EventInit & { detail?: T }) {
    super(type, options);
    this.#detail = (options?.detail ?? null) as T;
  }
  get detail(): T {
    return this.#detail;
  }
}

const CREATE = Symbol("create");

let abortSignal: (signal: AbortSignal, reason: unknown) => void;

type Listener = Parameters<typeof setEventAttributeValue>[2];

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  // The signals made by `any` from this one. Strong: their listeners may be all that anybody kept
  // of them.
  readonly #dependents = new Set<AbortSignal>();

  constructor(token?: symbol) {
    if (token !== CREATE) throw new TypeError("Illegal constructor");
    super();
  }

  get aborted(): boolean {
    return this.#aborted;
  }
  get reason(): unknown {
    return this.#reason;
  }
  get onabort(): Listener {
    return getEventAttributeValue(this, "abort");
  }
  set onabort(listener: Listener) {
    setEventAttributeValue(this, "abort", listener);
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  static abort(
    reason: unknown = new DOMException("This operation was aborted", "AbortError"),
  ): AbortSignal {
    const signal = new AbortSignal(CREATE);
    signal.#aborted = true;
    signal.#reason = reason;
    return signal;
  }

  static timeout(milliseconds: number): AbortSignal {
    const delay = Number(milliseconds);
    if (!(delay >= 0 && delay <= Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(`AbortSignal.timeout: ${delay} is not a number of milliseconds`);
    }
    const signal = new AbortSignal(CREATE);
    const timer = native.setTimer(
      () => {
        abortSignal(
          signal,
          new DOMException("The operation was aborted due to timeout", "TimeoutError"),
        );
      },
      Math.min(delay, 0x7fffffff),
      false,
    );
    native.unrefTimer?.(timer);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const sources = [...signals];
    for (const source of sources) {
      if (!(source instanceof AbortSignal))
        throw new TypeError("AbortSignal.any: not an AbortSignal");
    }
    const result = new AbortSignal(CREATE);
    const aborted = sources.find((source) => source.#aborted);
    if (aborted !== undefined) {
      result.#aborted = true;
      result.#reason = aborted.#reason;
      return result;
    }
    for (const source of sources) source.#dependents.add(result);
    return result;
  }

  static {
    // First all dependents get their state, then the events are sent.
    abortSignal = (signal, reason) => {
      const aborted: AbortSignal[] = [];
      const mark = (target: AbortSignal): void => {
        if (target.#aborted) return;
        target.#aborted = true;
        target.#reason = reason;
        aborted.push(target);
        for (const dependent of target.#dependents) mark(dependent);
        target.#dependents.clear();
      };
      mark(signal);
      for (const target of aborted) target.dispatchEvent(new Event("abort"));
    };
  }
}

export class AbortController {
  readonly #signal = new AbortSignal(CREATE);
  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(reason: unknown = new DOMException("This operation was aborted", "AbortError")): void {
    abortSignal(this.#signal, reason);
  }
}

finishInterface(CustomEvent, "CustomEvent");
finishInterface(AbortSignal, "AbortSignal");
finishInterface(AbortController, "AbortController");
showFields(AbortSignal, ({ aborted }) => ({ aborted }));
showFields(AbortController, ({ signal }) => ({ signal }));
showFields(Event, (event: Event) => {
  const { type, defaultPrevented, cancelable, timeStamp } = event;
  return { type, defaultPrevented, cancelable, timeStamp };
});
install({ Event, CustomEvent, EventTarget, AbortSignal, AbortController });
