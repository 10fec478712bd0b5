// Headers after https://fetch.spec.whatwg.org/#headers-class. A server's code may set any header,
// so the lists of names that browsers forbid do not apply (Node, Deno and the workers of this world
// agree).
import { finishInterface, install, showFields } from "./install.js";
import { native } from "./native.js";

function cleanName(given: unknown): string {
  const text = `${given as string}`;
  const name = native.cleanHeaderName(text);
  if (name === undefined) throw new TypeError(`Headers: "${text}" is not a valid header name`);
  return name;
}

function cleanValue(name: string, value: unknown): string {
  const text = native.cleanHeaderValue(`${value as string}`);
  if (text === undefined)
    throw new TypeError(`Headers: the value of "${name}" holds a character that is not allowed`);
  return text;
}

/** From now on every change throws, as for the headers of Response.error(). */
export let makeImmutable: (headers: Headers) => void;

/** Adds a header that the program did not set itself, such as a body's content type. */
export let setDefault: (headers: Headers, name: string, value: string) => void;

/** A list of name, value, name, value, whose names are in lower case and which nobody has to check. */
export let headersFromHost: (list: readonly string[]) => Headers;

/** The same list of any headers; cookies stay apart. */
export let listHeaders: (headers: Headers) => string[];

export class Headers {
  // Lower-case name to combined value; cookies cannot be combined and stay apart.
  readonly #values = new Map<string, string>();
  #cookies: string[] = [];
  #sorted: [string, string][] | undefined;
  #immutable = false;

  constructor(init?: HeadersInit | Headers | Iterable<readonly unknown[]>) {
    if (init === undefined) return;
    if (init === null || (typeof init !== "object" && typeof init !== "function")) {
      throw new TypeError("Headers: the argument must be headers, pairs or an object");
    }
    if (init instanceof Headers && init[Symbol.iterator] === Headers.prototype.entries) {
      for (const [name, value] of init.#values) this.#values.set(name, value);
      this.#cookies = [...init.#cookies];
      return;
    }
    const iterator = (init as { [Symbol.iterator]?: unknown })[Symbol.iterator];
    if (iterator != null) {
      for (const pair of init as Iterable<Iterable<unknown>>) {
        if ((typeof pair !== "object" && typeof pair !== "function") || pair === null) {
          throw new TypeError("Headers: every header must be a name and a value");
        }
        const parts = [...pair];
        if (parts.length !== 2)
          throw new TypeError("Headers: every header must be a name and a value");
        this.append(parts[0] as string, parts[1] as string);
      }
      return;
    }
    for (const name of Reflect.ownKeys(init)) {
      if (!Reflect.getOwnPropertyDescriptor(init, name)?.enumerable) continue;
      if (typeof name === "symbol") throw new TypeError("Headers: a symbol is not a header name");
      this.append(name, (init as Record<string, string>)[name] as string);
    }
  }

  static {
    makeImmutable = (headers) => {
      headers.#immutable = true;
    };
    headersFromHost = (list) => {
      const headers = new Headers();
      const values = headers.#values;
      for (let i = 0; i < list.length; i += 2) {
        const name = list[i] as string;
        const value = list[i + 1] as string;
        const present = values.get(name);
        const separator = name === "cookie" ? "; " : ", ";
        values.set(name, present === undefined ? value : present + separator + value);
      }
      return headers;
    };
    listHeaders = (headers) => {
      const list: string[] = [];
      for (const [name, value] of headers.#values) list.push(name, value);
      for (const cookie of headers.#cookies) list.push("set-cookie", cookie);
      return list;
    };
    setDefault = (headers, name, value) => {
      if (!headers.#values.has(name)) headers.#values.set(name, value);
    };
  }

  #change(): void {
    if (this.#immutable) throw new TypeError("Headers: these are immutable");
    this.#sorted = undefined;
  }

  append(name: string, value: string): void {
    const key = cleanName(name);
    const text = cleanValue(key, value);
    this.#change();
    if (key === "set-cookie") {
      this.#cookies.push(text);
      return;
    }
    const present = this.#values.get(key);
    this.#values.set(key, present === undefined ? text : `${present}, ${text}`);
  }
  set(name: string, value: string): void {
    const key = cleanName(name);
    const text = cleanValue(key, value);
    this.#change();
    if (key === "set-cookie") this.#cookies = [text];
    else this.#values.set(key, text);
  }
  delete(name: string): void {
    const key = cleanName(name);
    this.#change();
    if (key === "set-cookie") this.#cookies = [];
    else this.#values.delete(key);
  }
  get(name: string): string | null {
    const key = cleanName(name);
    if (key === "set-cookie") return this.#cookies.length === 0 ? null : this.#cookies.join(", ");
    return this.#values.get(key) ?? null;
  }
  has(name: string): boolean {
    const key = cleanName(name);
    return key === "set-cookie" ? this.#cookies.length > 0 : this.#values.has(key);
  }
  getSetCookie(): string[] {
    return [...this.#cookies];
  }

  // The standard's "sort and combine".
  #list(): [string, string][] {
    if (this.#sorted === undefined) {
      const names = [...this.#values.keys()];
      if (this.#cookies.length > 0) names.push("set-cookie");
      this.#sorted = names.sort().flatMap((name): [string, string][] => {
        if (name === "set-cookie") return this.#cookies.map((cookie) => [name, cookie]);
        return [[name, this.#values.get(name) as string]];
      });
    }
    return this.#sorted;
  }

  forEach(
    callback: (value: string, name: string, parent: Headers) => void,
    thisArgument?: unknown,
  ): void {
    if (typeof callback !== "function")
      throw new TypeError("Headers.forEach: the callback must be a function");
    for (const [name, value] of this.entries()) callback.call(thisArgument, value, name, this);
  }
  // The list is looked up for each step: a change while iterating shows, as the standard has it.
  *entries(): IterableIterator<[string, string]> {
    for (let i = 0; i < this.#list().length; ++i) {
      const [name, value] = this.#list()[i] as [string, string];
      yield [name, value];
    }
  }
  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name;
  }
  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }
  declare [Symbol.iterator]: () => IterableIterator<[string, string]>;
}
finishInterface(Headers, "Headers");
Object.defineProperty(Headers.prototype, Symbol.iterator, {
  value: Headers.prototype.entries,
  writable: true,
  configurable: true,
});
showFields(Headers, (headers) =>
  Object.fromEntries(
    [...headers.keys()].map((name) => [
      name,
      name === "set-cookie" ? headers.getSetCookie() : headers.get(name),
    ]),
  ),
);
install({ Headers });
