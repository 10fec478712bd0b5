// Between the host's HTTP server and the app's handlers. A request comes as plain values and an
// answer goes as plain values; a body that does not fit into one message passes in pieces, each when
// it is asked for. guest/src/serve.cc calls these functions, docs/protocol.md has the messages.
import { extract, openBody } from "./body.js";
import { abortRequest, describeResponse, requestFromHost, Response } from "./fetch.js";
import type { Request } from "./fetch.js";
import { Headers } from "./headers.js";
import { native } from "./native.js";
import { ReadableStream } from "./streams.js";

/** What the flags of an answer say of what is still to come. */
const BODY_FOLLOWS = 1;
const WORK_FOLLOWS = 2;

type Piece = string | Uint8Array | null;
type Head = [
  status: number,
  statusText: string,
  headers: readonly string[],
  body: Piece,
  flags: number,
];

/** How a piece of the request's body ends: more will come, it was the last one, the client has gone. */
const LAST = 1;
const GONE = 2;

interface Waiting {
  controller: ReadableByteStreamController;
  resolve: () => void;
}

// Of the request that is being handled; there is one at a time.
let request: Request | undefined;
let waiting: Waiting | undefined; // For the next piece of its body.
let ended = false; // Its body has come, or nobody wants the rest.
let isGone = false;
let reader: ReadableStreamDefaultReader<unknown> | undefined; // Of the answer's body.
let background: Promise<unknown>[] = [];

const gone = (): DOMException => new DOMException("the client has gone", "AbortError");

function incomingBody(first: Uint8Array): ReadableStream {
  return new ReadableStream(
    {
      type: "bytes",
      start(controller) {
        if (first.byteLength > 0) controller.enqueue(first);
      },
      pull(controller) {
        if (isGone) throw gone();
        return new Promise<void>((resolve) => {
          waiting = { controller, resolve };
          native.wantBody?.();
        });
      },
      cancel() {
        ended = true;
      },
    },
    { highWaterMark: 0 },
  );
}

/** What `fetch` and `scheduled` get as their third argument. */
class ExecutionContext {
  /** The isolate lives until the promise has settled, at most for as long as a request may take. */
  waitUntil(promise: unknown): void {
    background.push(Promise.resolve(promise));
  }
  /** For code that is written for other hosts as well: there is nothing to pass through to. */
  passThroughOnException(): void {}
}
Object.defineProperty(ExecutionContext.prototype, Symbol.toStringTag, {
  value: "ExecutionContext",
  configurable: true,
});

/** Forgets the request before this one, and makes the handler's third argument. */
function begin(): ExecutionContext {
  request = undefined;
  waiting = undefined;
  ended = false;
  isGone = false;
  reader = undefined;
  background = [];
  return new ExecutionContext();
}

/** The handler's first argument. `headers`: name, value, name, value; names in lower case. */
function makeRequest(
  method: string,
  url: string,
  headers: string[],
  body: Uint8Array<ArrayBuffer> | null,
  follows: boolean,
): Request {
  const content = body !== null && follows ? incomingBody(body) : body;
  request = requestFromHost(method, url, headers, content);
  return request;
}

/** A piece of the request's body that the handler has asked for. */
function receive(bytes: Uint8Array<ArrayBuffer>, state: number): void {
  if (state === GONE) {
    isGone = true;
    if (request !== undefined) abortRequest(request, gone());
    void reader?.cancel(gone()).catch(() => {});
  }
  if (waiting === undefined) return;
  if (bytes.byteLength === 0 && state === 0) {
    native.wantBody?.(); // A stream that was pulled and got nothing does not pull again.
    return;
  }
  const { controller, resolve } = waiting;
  waiting = undefined;
  if (ended) return resolve();
  if (state === GONE) {
    controller.error(gone());
    return resolve();
  }
  if (bytes.byteLength > 0) controller.enqueue(bytes);
  if (state === LAST) {
    ended = true;
    controller.close();
    controller.byobRequest?.respond(0);
  }
  resolve();
}

const workFollows = (): number => (background.length > 0 ? WORK_FOLLOWS : 0);

/** What is still to come after a handler that has no answer. */
const remaining = workFollows;

/** What the handler has answered, for the host. */
function head(answered: unknown): Head {
  const response = describeResponse(answered);
  if (response === undefined) {
    throw new TypeError("fetch() must answer a Response, or a promise of one");
  }
  const { status, statusText, headers, body } = response;
  if (status === 0) throw new TypeError("fetch() answered Response.error()");
  const content = openBody(body);
  if (!(content instanceof ReadableStream)) {
    return [status, statusText, headers, content, workFollows()];
  }
  reader = content.getReader();
  return [status, statusText, headers, null, BODY_FOLLOWS | workFollows()];
}

/** The next piece of the answer's body; then, once it has ended, the end of the work behind it. */
async function next(): Promise<[piece: Piece, flags: number]> {
  if (reader !== undefined) {
    const { done, value } = await reader.read();
    if (!done) {
      if (!(value instanceof Uint8Array))
        throw new TypeError("a stream that is a body must yield Uint8Array chunks");
      return [value, BODY_FOLLOWS | workFollows()];
    }
    reader = undefined;
    return [null, workFollows()];
  }
  // Work may wait for more work.
  while (background.length > 0) await Promise.all(background.splice(0));
  return [null, 0];
}

// Objects as each request makes them. As long as there are any in the snapshot, the engine has their
// shapes there, and makes none anew.
function examples(): unknown[] {
  const url = "http://example.com/path";
  const request = makeRequest("GET", url, ["accept", "*/*"], null, false);
  const responses = [new Response(null), new Response(""), Response.json({})];
  const kept = [
    ...[request, request.headers, new URL(url), new Headers(), begin()],
    ...responses.flatMap((response) => [response, response.headers, describeResponse(response)]),
    ...[extract(""), Promise.resolve(), new Uint8Array()],
  ];
  begin();
  return kept;
}

native.setServer?.({ begin, makeRequest, receive, head, next, remaining, kept: examples() });
