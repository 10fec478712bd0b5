// Request and Response after https://fetch.spec.whatwg.org. There is no fetch(): the sandbox has no
// network.
import { Body, extract, hasBody, shareBody, takeBody } from "./body.js";
import type { Content } from "./body.js";
import { AbortController, AbortSignal } from "./events.js";
import { Headers, headersFromHost, listHeaders, makeImmutable, setDefault } from "./headers.js";
import { finishInterface, install, showFields } from "./install.js";
import { native } from "./native.js";
import { ReadableStream } from "./streams.js";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN_METHODS = /^(?:CONNECT|TRACE|TRACK)$/i;
const NORMALIZED_METHODS = /^(?:DELETE|GET|HEAD|OPTIONS|POST|PUT)$/i;

function cleanMethod(method: unknown): string {
  const text = `${method as string}`;
  if (!TOKEN.test(text)) throw new TypeError(`Request: '${text}' is not a valid HTTP method`);
  if (FORBIDDEN_METHODS.test(text))
    throw new TypeError(`Request: the method '${text}' is not supported`);
  return NORMALIZED_METHODS.test(text) ? text.toUpperCase() : text;
}

// The members that are only carried along here, with their default and what they may be.
const CARRIED = {
  mode: ["cors", ["same-origin", "no-cors", "cors"]],
  credentials: ["same-origin", ["omit", "same-origin", "include"]],
  cache: [
    "default",
    ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"],
  ],
  redirect: ["follow", ["follow", "error", "manual"]],
  referrerPolicy: [
    "",
    [
      "",
      "no-referrer",
      "no-referrer-when-downgrade",
      "same-origin",
      "origin",
      "strict-origin",
      "origin-when-cross-origin",
      "strict-origin-when-cross-origin",
      "unsafe-url",
    ],
  ],
} as const;
type CarriedName = keyof typeof CARRIED;
type CarriedEntry = [CarriedName, readonly [initial: string, allowed: readonly string[]]];

function parseUrl(input: unknown): string {
  if (typeof input === "string" && native.isNormalUrl?.(input)) return input;
  let url: URL;
  try {
    url = new URL(`${input as string}`);
  } catch (cause) {
    throw new TypeError(`Request: "${input as string}" is not an absolute URL`, { cause });
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError(`Request: the URL must not hold a user name or a password`);
  }
  return url.href;
}

interface RequestOptions extends Omit<RequestInit, "body" | "headers" | "signal"> {
  body?: unknown;
  headers?: HeadersInit | Headers;
  signal?: AbortSignal | null;
  duplex?: "half";
}

// What a constructor gets first when it is called in here, which then takes its argument as it is.
const INTERNAL = Symbol("internal");

// As every request has them that a server gets.
const CARRIED_INITIALLY = Object.fromEntries(
  (Object.entries(CARRIED) as CarriedEntry[]).map(([name, [initial]]) => [name, initial]),
) as Record<CarriedName, string>;

/** A request that came to the server. `headers` as headersFromHost has them. */
export let requestFromHost: (
  method: string,
  url: string,
  headers: readonly string[],
  content: Content | null,
) => Request;

/** Aborts the request's signal. */
export let abortRequest: (request: Request, reason: unknown) => void;

interface HostRequest {
  method: string;
  url: string;
  headers: readonly string[];
  content: Content | null;
}

export class Request extends Body {
  readonly #url: string;
  readonly #method: string;
  // A list while nobody has asked for them.
  #headers: Headers | readonly string[];
  #signal: AbortSignal | undefined;
  #abort: ((reason: unknown) => void) | undefined; // The signal's, of a request from the host.
  #abortedBecause: { reason: unknown } | undefined;
  readonly #carried: Record<CarriedName, string>;
  readonly #integrity: string;
  readonly #keepalive: boolean;
  readonly #referrer: string;

  constructor(input: unknown, init: RequestOptions = {}) {
    if (input === INTERNAL) {
      const from = init as unknown as HostRequest;
      super(from.content);
      this.#url = from.url;
      this.#method = from.method;
      this.#headers = from.headers;
      this.#carried = CARRIED_INITIALLY;
      this.#integrity = "";
      this.#keepalive = false;
      this.#referrer = "about:client";
      return;
    }
    if (arguments.length === 0)
      throw new TypeError("Request: 1 argument required, but only 0 present");
    if (init !== null && typeof init !== "object" && typeof init !== "function") {
      throw new TypeError("Request: the second argument must be an object");
    }
    const options: RequestOptions = init ?? {};
    const from = input instanceof Request ? input : undefined;
    const url = from?.url ?? parseUrl(input);
    const method =
      options.method === undefined ? (from?.method ?? "GET") : cleanMethod(options.method);
    const given = options.body ?? null;
    if (
      (given !== null || (from !== undefined && hasBody(from))) &&
      (method === "GET" || method === "HEAD")
    ) {
      throw new TypeError(`Request: a ${method} request cannot have a body`);
    }
    let content: Content | null = null;
    let type: string | null = null;
    if (given !== null) {
      ({ content, type } = extract(given));
      if (content instanceof ReadableStream && options.duplex !== "half") {
        throw new TypeError("Request: a body that is a stream needs duplex: 'half'");
      }
    } else if (from !== undefined) {
      content = takeBody(from);
    }
    super(content);

    this.#url = url;
    this.#method = method;
    const headers = new Headers(options.headers ?? from?.headers);
    if (type !== null) setDefault(headers, "content-type", type);
    this.#headers = headers;
    const signal = options.signal === undefined ? from?.signal : options.signal;
    if (signal != null) {
      if (!(signal instanceof AbortSignal))
        throw new TypeError("Request: the signal must be an AbortSignal");
      this.#signal = AbortSignal.any([signal]);
    }
    this.#carried = {} as Record<CarriedName, string>;
    for (const [name, [initial, allowed]] of Object.entries(CARRIED) as CarriedEntry[]) {
      const value = options[name] === undefined ? (from?.[name] ?? initial) : `${options[name]}`;
      if (!allowed.includes(value))
        throw new TypeError(`Request: '${value}' is not a value of ${name}`);
      this.#carried[name] = value;
    }
    this.#integrity =
      options.integrity === undefined ? (from?.integrity ?? "") : `${options.integrity}`;
    this.#keepalive =
      options.keepalive === undefined ? (from?.keepalive ?? false) : Boolean(options.keepalive);
    this.#referrer =
      options.referrer === undefined ? (from?.referrer ?? "about:client") : `${options.referrer}`;
  }

  get method(): string {
    return this.#method;
  }
  get url(): string {
    return this.#url;
  }
  get headers(): Headers {
    if (!(this.#headers instanceof Headers)) this.#headers = headersFromHost(this.#headers);
    return this.#headers;
  }
  get destination(): string {
    return "";
  }
  get referrer(): string {
    return this.#referrer;
  }
  get referrerPolicy(): string {
    return this.#carried.referrerPolicy;
  }
  get mode(): string {
    return this.#carried.mode;
  }
  get credentials(): string {
    return this.#carried.credentials;
  }
  get cache(): string {
    return this.#carried.cache;
  }
  get redirect(): string {
    return this.#carried.redirect;
  }
  get integrity(): string {
    return this.#integrity;
  }
  get keepalive(): boolean {
    return this.#keepalive;
  }
  get isReloadNavigation(): boolean {
    return false;
  }
  get isHistoryNavigation(): boolean {
    return false;
  }
  get signal(): AbortSignal {
    // Most requests are never asked for it.
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      this.#abort = (reason) => controller.abort(reason);
      if (this.#abortedBecause !== undefined) this.#abort(this.#abortedBecause.reason);
    }
    return this.#signal;
  }
  get duplex(): string {
    return "half";
  }

  clone(): Request {
    const content = shareBody(this);
    const { method, headers, signal, integrity, keepalive, referrer } = this;
    const carried = this.#carried as Pick<RequestInit, CarriedName>;
    return new Request(this.#url, {
      ...carried,
      ...{ method, headers, signal, integrity, keepalive, referrer, duplex: "half" },
      ...(content === null ? {} : { body: content }),
    }).#withHeaders(headers);
  }

  // A clone's body adds no content type of its own.
  #withHeaders(headers: Headers): Request {
    if (!headers.has("content-type")) this.headers.delete("content-type");
    return this;
  }

  static {
    requestFromHost = (method, url, headers, content) => {
      const from: HostRequest = { method, url: parseUrl(url), headers, content };
      return new Request(INTERNAL, from as unknown as RequestOptions);
    };
    abortRequest = (request, reason) => {
      request.#abortedBecause ??= { reason };
      request.#abort?.(reason);
    };
  }
}

const JSON_TYPE = Symbol("application/json"); // For the constructor; nobody else has it.
const NULL_BODY_STATUS: readonly number[] = [101, 103, 204, 205, 304];
const REDIRECT_STATUS: readonly number[] = [301, 302, 303, 307, 308];
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What the host needs of a response; undefined for anything else. */
export let describeResponse: (value: unknown) => ResponseForHost | undefined;

export interface ResponseForHost {
  status: number;
  statusText: string;
  headers: readonly string[];
  body: Body;
}

interface ResponseOptions {
  status?: number;
  statusText?: string;
  headers?: HeadersInit | Headers;
}

// How the standard's own operations make responses that the constructor refuses.
interface ResponseParts {
  content: Content | null;
  type: "default" | "error";
  status: number;
  statusText: string;
  headers: Headers;
}

export class Response extends Body {
  readonly #type: string;
  readonly #status: number;
  readonly #statusText: string;
  // A list while nobody has asked for them.
  #headers: Headers | readonly string[];

  /** `type`: an object of this module's, for the content type instead of the body's own. */
  constructor(body?: unknown, init: ResponseOptions = {}, type?: unknown) {
    if (body === INTERNAL) {
      const parts = init as unknown as ResponseParts;
      super(parts.content);
      this.#type = parts.type;
      this.#status = parts.status;
      this.#statusText = parts.statusText;
      this.#headers = parts.headers;
      return;
    }
    if (init !== null && typeof init !== "object" && typeof init !== "function") {
      throw new TypeError("Response: the second argument must be an object");
    }
    const options: ResponseOptions = init ?? {};
    const status = options.status === undefined ? 200 : Math.trunc(Number(options.status)) & 0xffff;
    if (status < 200 || status > 599) {
      throw new RangeError(`Response: the status must be from 200 to 599, not ${options.status}`);
    }
    const statusText = options.statusText === undefined ? "" : `${options.statusText}`;
    if (!REASON.test(statusText))
      throw new TypeError("Response: statusText holds a character that is not allowed");
    const extracted = body == null ? null : extract(body);
    if (extracted !== null && NULL_BODY_STATUS.includes(status)) {
      throw new TypeError(`Response: a response with status ${status} cannot have a body`);
    }
    super(extracted?.content ?? null);
    this.#type = "default";
    this.#status = status;
    this.#statusText = statusText;
    const contentType = type === JSON_TYPE ? "application/json" : extracted?.type;
    if (options.headers === undefined) {
      this.#headers = contentType == null ? [] : ["content-type", contentType];
      return;
    }
    this.#headers = new Headers(options.headers);
    if (contentType != null) setDefault(this.#headers, "content-type", contentType);
  }

  get type(): string {
    return this.#type;
  }
  get url(): string {
    return "";
  }
  get redirected(): boolean {
    return false;
  }
  get status(): number {
    return this.#status;
  }
  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }
  get statusText(): string {
    return this.#statusText;
  }
  get headers(): Headers {
    if (!(this.#headers instanceof Headers)) this.#headers = headersFromHost(this.#headers);
    return this.#headers;
  }

  static {
    describeResponse = (value) => {
      if (typeof value !== "object" || value === null || !(#status in value)) return undefined;
      return {
        status: value.#status,
        statusText: value.#statusText,
        headers: value.#headers instanceof Headers ? listHeaders(value.#headers) : value.#headers,
        body: value,
      };
    };
  }

  clone(): Response {
    const parts: ResponseParts = {
      content: shareBody(this),
      type: this.#type as ResponseParts["type"],
      status: this.#status,
      statusText: this.#statusText,
      headers: new Headers(this.headers),
    };
    if (this.#type === "error") makeImmutable(parts.headers);
    return new Response(INTERNAL, parts as ResponseOptions);
  }

  static error(): Response {
    const headers = new Headers();
    makeImmutable(headers);
    const parts: ResponseParts = {
      content: null,
      type: "error",
      status: 0,
      statusText: "",
      headers,
    };
    return new Response(INTERNAL, parts as ResponseOptions);
  }

  static json(data: unknown, init: ResponseOptions = {}): Response {
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined)
      throw new TypeError("Response.json: the value is not JSON serializable");
    return new Response(text, init, JSON_TYPE);
  }

  static redirect(url: string | URL, status: number = 302): Response {
    let location: string;
    try {
      location = new URL(`${url}`).href;
    } catch (cause) {
      throw new TypeError(`Response.redirect: "${url}" is not an absolute URL`, { cause });
    }
    if (!REDIRECT_STATUS.includes(status)) {
      throw new RangeError(`Response.redirect: ${status} is not a redirect status`);
    }
    const headers = new Headers({ location });
    makeImmutable(headers);
    const parts: ResponseParts = {
      content: null,
      type: "default",
      status,
      statusText: "",
      headers,
    };
    return new Response(INTERNAL, parts as ResponseOptions);
  }
}

// The standard has the methods of a body on both prototypes, and no class between.
for (const { prototype } of [Request, Response]) {
  const { constructor: _, ...members } = Object.getOwnPropertyDescriptors(Body.prototype);
  Object.defineProperties(prototype, members);
  Object.setPrototypeOf(prototype, Object.prototype);
}
// The constructors' own link stays: `super()` in them is the call of Body.

finishInterface(Request, "Request");
finishInterface(Response, "Response");
showFields(Request, ({ method, url, headers, bodyUsed, signal }) => ({
  method,
  url,
  headers,
  bodyUsed,
  signal,
}));
showFields(Response, ({ status, statusText, headers, bodyUsed, ok, type, url }) => ({
  ...{ status, statusText, headers, bodyUsed, ok, type, url },
}));
install({ Request, Response });
