// A client of HTTP/1.1 (RFC 9112) for the load test: keeps connections, can be as slow or as rude as it is told, and costs the machine
// little, since the server is what is to be busy.
import { connect } from "node:net";

/** How long a client waits before it says that the server hangs. More than any limit of the server under test. */
const ANSWER_TIME_MAX = 15_000;
/** Connections that were idle for longer are not used again: the server may be closing them. */
const IDLE_TIME_MAX = 10_000;

/** The connection ended before the answer did. */
export class CutOff extends Error {}
/** There was no answer in time, or one that is not HTTP. */
export class Misbehaved extends Error {}

/** @typedef {{ status: number, headers: Map<string, string>, body: Buffer }} Answer */

const HEAD_END = Buffer.from("\r\n\r\n");

/** Reads one answer from bytes that come in any pieces. */
export class AnswerReader {
  /** @type {Answer | undefined} */
  #answer;
  #rest = Buffer.alloc(0);
  #pieces = [];
  #left = 0; // Bytes of the body, or of the present chunk with its line end; -1: up to the end of the connection.
  #isChunked = false;
  #isLast = false;
  #isForHead;

  constructor(method) {
    this.#isForHead = method === "HEAD";
  }

  /** The answer once it is whole, else undefined. Throws Misbehaved. */
  add(bytes) {
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    if (!this.#answer && !this.#readHead()) return undefined;
    return this.#isChunked ? this.#readChunks() : this.#readLength();
  }

  /** The connection has ended: the answer, where that is how it ends. */
  end() {
    if (this.#answer && this.#left === -1) return this.#finish();
    return undefined;
  }

  #readHead() {
    const end = this.#rest.indexOf(HEAD_END);
    if (end === -1) return false;
    const [first, ...lines] = this.#rest.toString("latin1", 0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    if (!status) throw new Misbehaved(`'${first}' is not a status line`);
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(":");
        if (colon < 1) throw new Misbehaved(`'${line}' is not a header field`);
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    this.#rest = this.#rest.subarray(end + HEAD_END.length);
    if (status < 200) return this.#readHead(); // 100 Continue: the answer comes behind it.
    this.#answer = { status, headers, body: Buffer.alloc(0) };
    this.#isChunked = headers.get("transfer-encoding") === "chunked";
    const hasNone = this.#isForHead || status === 204 || status === 304;
    const length = headers.get("content-length");
    if (hasNone) this.#isChunked = false;
    this.#left = hasNone || this.#isChunked ? 0 : Number(length ?? -1);
    return true;
  }

  #readLength() {
    const count = this.#left === -1 ? this.#rest.length : Math.min(this.#left, this.#rest.length);
    if (count > 0) this.#take(count);
    if (this.#left !== -1) this.#left -= count;
    return this.#left === 0 ? this.#finish() : undefined;
  }

  #take(count) {
    this.#pieces.push(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
  }

  // `#left` is 0 before the line with a chunk's size, else what is left of the chunk and the line end behind it.
  #readChunks() {
    for (;;) {
      if (this.#left === 0) {
        const end = this.#rest.indexOf("\r\n");
        if (end === -1) return undefined;
        const line = this.#rest.toString("latin1", 0, end);
        if (!/^[0-9a-f]+$/i.test(line))
          throw new Misbehaved(`'${line}' is not the size of a chunk`);
        const size = Number.parseInt(line, 16);
        this.#rest = this.#rest.subarray(end + 2);
        this.#isLast = size === 0;
        this.#left = size + 2;
      }
      const content = Math.min(this.#left - 2, this.#rest.length);
      if (content > 0) {
        this.#take(content);
        this.#left -= content;
      }
      if (this.#left > 2 || this.#rest.length < 2) return undefined;
      if (this.#rest[0] !== 13 || this.#rest[1] !== 10)
        throw new Misbehaved("a chunk does not end with its line");
      this.#rest = this.#rest.subarray(2);
      this.#left = 0;
      if (this.#isLast) return this.#finish();
    }
  }

  #finish() {
    if (this.#rest.length > 0) throw new Misbehaved("there are bytes behind the answer");
    this.#answer.body = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
    return this.#answer;
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Client {
  #port;
  #idle = [];
  #open = new Set();

  constructor(port) {
    this.#port = port;
  }

  /** Connections that there are. */
  get connections() {
    return this.#open.size;
  }

  /**
   * Makes a request and answers what the server does. Throws CutOff and Misbehaved.
   *
   * `writePause`: the body is sent in ten pieces, with that many milliseconds between. `readPause`: as many between two reads of
   * the answer. `leaveAfter`: the connection is reset after so many milliseconds; 'answer': when the first bytes have come.
   * @param {{ method?: string, path: string, headers?: Record<string, string>, body?: string | Buffer, isChunked?: boolean,
   *   writePause?: number, readPause?: number, leaveAfter?: number | "answer" }} request
   * @returns {Promise<Answer>}
   */
  async request({ method = "GET", path, headers = {}, body, isChunked = false, ...manners }) {
    const fields = { host: `127.0.0.1:${this.#port}`, ...headers };
    if (body !== undefined && isChunked) fields["transfer-encoding"] = "chunked";
    else if (body !== undefined) fields["content-length"] = String(Buffer.byteLength(body));
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
    const pieces = bodyPieces(body, isChunked, manners.writePause === undefined ? 1 : 10);
    const isKept = Object.keys(manners).length === 0;
    return this.exchange([head, ...pieces], { method, isKept, ...manners });
  }

  /** Sends bytes and reads one answer. A connection that is kept is used again. */
  async exchange(
    pieces,
    { method = "GET", isKept = false, writePause, readPause, leaveAfter } = {},
  ) {
    const socket = (isKept ? this.#takeIdle() : undefined) ?? this.#connect();
    const answer = this.#receive(socket, new AnswerReader(method), { readPause, leaveAfter });
    if (writePause === undefined) {
      socket.write(
        pieces.length === 1 ? pieces[0] : Buffer.concat(pieces.map((piece) => Buffer.from(piece))),
      );
    } else {
      this.#writeSlowly(socket, pieces, writePause);
    }
    const { status, headers, body } = await answer;
    if (isKept && headers.get("connection") !== "close" && !socket.destroyed)
      this.#idle.push({ socket, since: Date.now() });
    else socket.destroy();
    return { status, headers, body };
  }

  /** Closes all connections. */
  close() {
    for (const socket of this.#open) socket.destroy();
    this.#idle = [];
  }

  #connect() {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#open.add(socket);
    socket.on("error", () => {}); // `close` follows.
    socket.once("close", () => this.#open.delete(socket));
    return socket;
  }

  #takeIdle() {
    for (;;) {
      const last = this.#idle.pop();
      if (last === undefined) return undefined;
      if (!last.socket.destroyed && Date.now() - last.since < IDLE_TIME_MAX) return last.socket;
      last.socket.destroy();
    }
  }

  async #writeSlowly(socket, pieces, milliseconds) {
    for (const piece of pieces) {
      if (socket.destroyed || !socket.writable) return;
      socket.write(piece);
      await pause(milliseconds);
    }
  }

  /** @returns {Promise<Answer>} */
  #receive(socket, reader, { readPause, leaveAfter }) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        clearTimeout(leaving);
        socket.off("data", onData).off("end", onEnd).off("close", onClose);
        settle(value);
      };
      const fail = (error) => {
        end(reject, error);
        socket.destroy();
      };
      const leave = () => {
        end(reject, new CutOff("the client left"));
        socket.resetAndDestroy();
      };
      const onData = (bytes) => {
        if (leaveAfter === "answer") return leave();
        try {
          const answer = reader.add(bytes);
          if (answer) return end(resolve, answer);
        } catch (error) {
          return fail(error);
        }
        if (readPause === undefined) return;
        socket.pause();
        setTimeout(() => socket.resume(), readPause);
      };
      const onEnd = () => {
        const answer = reader.end();
        if (answer) return end(resolve, answer);
        fail(new CutOff("the server ended the connection"));
      };
      const onClose = () => fail(new CutOff("the connection is gone"));
      const timer = setTimeout(
        () => fail(new Misbehaved(`no whole answer within ${ANSWER_TIME_MAX} ms`)),
        ANSWER_TIME_MAX,
      );
      const leaving = typeof leaveAfter === "number" ? setTimeout(leave, leaveAfter) : undefined;
      socket.on("data", onData).on("end", onEnd).on("close", onClose);
    });
  }
}

/** A body as it is sent, in at most `count` pieces. */
function bodyPieces(body, isChunked, count) {
  if (body === undefined) return [];
  const bytes = Buffer.from(body);
  const size = Math.max(1, Math.ceil(bytes.length / count));
  const pieces = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  if (!isChunked) return pieces;
  const chunks = pieces.map((piece) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]),
  );
  return [...chunks, Buffer.from("0\r\n\r\n")];
}
