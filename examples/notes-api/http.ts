// What the service needs of HTTP beside Request and Response: errors as application/problem+json (RFC 9457), bodies with a limit,
// conditional requests, cookies, and a table of routes.

/** One field of a request's body that was refused. */
export interface FieldError {
  readonly field: string;
  readonly rule: string;
  readonly message: string;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  412: "Precondition failed",
  413: "Content too large",
  415: "Unsupported media type",
  422: "Unprocessable content",
  503: "Service unavailable",
};

/** Thrown anywhere below a handler, it becomes the answer. */
export class Problem extends Error {
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    more: { errors?: readonly FieldError[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.status = status;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }

  toResponse(): Response {
    const { status, message: detail, errors } = this;
    const problem = { type: "about:blank", title: TITLES[status] ?? "Error", status, detail };
    return new Response(JSON.stringify({ ...problem, errors }), {
      status,
      headers: { "content-type": "application/problem+json", ...this.headers },
    });
  }
}

export const notFound = (what: string) => new Problem(404, `There is no ${what}.`);

/** Answers whose content is the client's own are asked for each time. */
export function json(value: unknown, init: ResponseInit = {}): Response {
  const response = Response.json(value, init);
  if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-cache");
  return response;
}

// --- Bodies ---

export function expectType(request: Request, expected: string): void {
  const type = request.headers.get("content-type") ?? "";
  if (type.split(";")[0]?.trim().toLowerCase() === expected) return;
  throw new Problem(415, `The body must be ${expected}.`, { headers: { accept: expected } });
}

/** The pieces of a body as they arrive. Stops at the limit, whatever Content-Length says. */
export async function* pieces(request: Request, bytesMax: number): AsyncGenerator<Uint8Array> {
  const tooLarge = () => new Problem(413, `The body must not be larger than ${bytesMax} bytes.`);
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw tooLarge();
  if (!request.body) return;
  let size = 0;
  const reader = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      size += value.byteLength;
      if (size > bytesMax) throw tooLarge();
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}

export async function readJson(request: Request, bytesMax: number): Promise<unknown> {
  expectType(request, "application/json");
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    let text = "";
    for await (const piece of pieces(request, bytesMax)) {
      text += decoder.decode(piece, { stream: true });
    }
    return JSON.parse(text + decoder.decode());
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, "The body is not valid JSON in UTF-8.");
  }
}

// --- Conditional requests (RFC 9110, section 13) ---

const tagsIn = (header: string): string[] => header.match(/(?:W\/)?"[^"]*"/g) ?? [];

/** Whether the client has this version already: the answer is 304. */
export function isKnown(request: Request, etag: string): boolean {
  const header = request.headers.get("if-none-match");
  if (header === null) return false;
  return header.trim() === "*" || tagsIn(header).some((tag) => tag.replace(/^W\//, "") === etag);
}

/** Refuses a change that was made on another version than the present one. */
export function expectMatch(request: Request, etag: string): void {
  const header = request.headers.get("if-match");
  if (header === null || header.trim() === "*" || tagsIn(header).includes(etag)) return;
  throw new Problem(412, "It was changed meanwhile; read it again.", { headers: { etag } });
}

/** The answer to a GET, or to one that asks only for what is new. */
export function versioned(request: Request, etag: string, answer: () => Response): Response {
  const headers = { etag, "cache-control": "no-cache" };
  if (isKnown(request, etag)) return new Response(null, { status: 304, headers });
  const response = answer();
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

// --- Cookies ---

export function readCookie(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

// --- Routes ---

export interface Context<Env> {
  readonly request: Request;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly env: Env;
}
export type Handler<Env> = (context: Context<Env>) => Response | Promise<Response>;
export type Route<Env> = readonly [path: string, methods: Readonly<Record<string, Handler<Env>>>];

/** Paths with parameters, `/notes/:id`. HEAD is answered as GET, OPTIONS with what there is; what is not there is a 404 or a 405. */
export function router<Env>(routes: readonly Route<Env>[]): Handler<Env> {
  const compiled = routes.map(([path, methods]) => {
    const pattern = path.replaceAll(".", "\\.").replace(/:(\w+)/g, "(?<$1>[^/]+)");
    const names = Object.keys(methods);
    if (methods["GET"]) names.push("HEAD");
    const allow = [...names, "OPTIONS"].sort().join(", ");
    return { pattern: new RegExp(`^${pattern}$`), methods, allow };
  });
  return (context) => {
    const { request, url } = context;
    for (const { pattern, methods, allow } of compiled) {
      const found = pattern.exec(url.pathname);
      if (!found) continue;
      const handler = methods[request.method === "HEAD" ? "GET" : request.method];
      if (handler) return handler({ ...context, params: decoded(found.groups ?? {}) });
      if (request.method === "OPTIONS")
        return new Response(null, { status: 204, headers: { allow } });
      throw new Problem(405, `Here are ${allow}.`, { headers: { allow } });
    }
    throw notFound("such page");
  };
}

function decoded(params: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return Object.fromEntries(
      Object.entries(params).map(([name, text]) => [name, decodeURIComponent(text)]),
    );
  } catch {
    throw new Problem(400, "The path is not valid percent-encoded UTF-8.");
  }
}
