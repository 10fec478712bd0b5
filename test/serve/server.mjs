// A server of an app for a test, with a database of its own, and a client that hides nothing: what is sent and what is answered are bytes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const top = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const program = resolve(
  process.env.SCHEMASCRIPT_PROGRAM ?? join(top, "build/bin/schemascript"),
);
const SECONDS_MAX = 60;

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes too long`)), SECONDS_MAX * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** One server, ready to be asked. Whoever starts it stops it. */
export class Server {
  #child;
  #folder;
  #ended;
  errors = "";
  output = "";

  /**
   * `app`: a path below the checkout, or a whole one. `env`: what the app gets as its environment. `data`: the options that name its
   * databases; else it has one that is made for it.
   */
  static async start(app, { options = [], env, data } = {}) {
    const server = new Server();
    server.#folder = mkdtempSync(join(tmpdir(), "serve-"));
    server.database = join(server.#folder, "app.db");
    const words = ["serve", resolve(top, app), "--port", "0", "--log", "json"];
    words.push(...(data ?? ["--db", server.database, "--push"]), ...options);
    if (env) {
      const file = join(server.#folder, "env");
      const lines = Object.entries(env).map(
        ([name, value]) => `${name}=${JSON.stringify(value)}\n`,
      );
      writeFileSync(file, lines.join(""));
      words.push("--env-file", file);
    }
    await server.#spawn(words);
    return server;
  }

  async #spawn(words) {
    this.#child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
    this.#ended = once(this.#child, "close");
    this.#child.stdout.setEncoding("utf8").on("data", (text) => (this.output += text));
    this.#child.stderr.setEncoding("utf8").on("data", (text) => (this.errors += text));
    const ready = new Promise((found, failed) => {
      this.#child.stderr.on("data", () => {
        const line = /^schemascript: serving .* at (http:\/\/\S+)$/m.exec(this.errors);
        if (line) found(line[1]);
      });
      this.#child.on("close", (status) => {
        failed(new Error(`the server ended with ${status}:\n${this.errors}`));
      });
    });
    this.url = await within(ready, "the start of the server");
    this.port = Number(new URL(this.url).port);
  }

  /** The requests in the log that `isWanted` takes, once there are so many of them. */
  async log(count, isWanted) {
    const records = () =>
      this.output
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line))
        .filter((record) => record.path !== undefined && isWanted(record));
    for (let waited = 0; records().length < count; waited += 20) {
      assert.ok(
        waited < SECONDS_MAX * 1000,
        `the log has no ${count} such requests:\n${this.output}`,
      );
      await new Promise((done) => setTimeout(done, 20));
    }
    return records();
  }

  async fetch(path, { method = "GET", json, headers = {}, body } = {}) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: json === undefined ? body : JSON.stringify(json),
      redirect: "manual",
      signal: AbortSignal.timeout(SECONDS_MAX * 1000),
      ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
    });
    const text = await response.text();
    const type = response.headers.get("content-type") ?? "";
    const content = /[/+]json/.test(type) && text !== "" ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, type, body: content };
  }

  /** Has it build the app anew, and answers what it says about that. */
  async reload() {
    const before = this.errors.length;
    this.#child.kill("SIGHUP");
    for (let waited = 0; waited < SECONDS_MAX * 1000; waited += 20) {
      const said = this.errors.slice(before);
      if (/^schemascript: (reloaded|not reloaded; .*)$/m.test(said)) return said;
      await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error(`it was not reloaded:\n${this.errors}`);
  }

  /** Ends it as a supervisor does, and holds it to ending well. */
  async stop() {
    this.#child.kill("SIGTERM");
    try {
      const [status, signal] = await within(this.#ended, "the end of the server");
      assert.deepEqual([status, signal], [0, null], this.errors);
    } finally {
      this.#child.kill("SIGKILL");
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

/** A connection: bytes out, answers in. */
export class Connection {
  #socket;
  #received = Buffer.alloc(0);
  #isOver = false;
  #wake = () => {};

  static async open(port) {
    const connection = new Connection();
    const socket = connect(port, "127.0.0.1");
    connection.#socket = socket;
    socket.setNoDelay(true); // What a test sends in pieces comes in pieces, and at once.
    socket.on("data", (bytes) => {
      connection.#received = Buffer.concat([connection.#received, bytes]);
      connection.#wake();
    });
    for (const event of ["end", "error", "close"]) {
      socket.on(event, () => {
        connection.#isOver = true;
        connection.#wake();
      });
    }
    await within(once(socket, "connect"), "a connection");
    return connection;
  }

  /** Lines of a head end as HTTP's do; write `\n`. */
  send(head, body = "") {
    this.#socket.write(
      Buffer.concat([Buffer.from(head.replaceAll("\n", "\r\n")), Buffer.from(body)]),
    );
  }

  /** Bytes as they are. */
  write(bytes) {
    this.#socket.write(bytes);
  }

  pause() {
    this.#socket.pause();
  }
  resume() {
    this.#socket.resume();
  }
  close() {
    this.#socket.destroy();
  }

  /** Waits until `take` finds something in what has come, which is then removed. `take` answers `[value, bytes]`. */
  async #until(take, what) {
    for (;;) {
      const taken = take(this.#received);
      if (taken) {
        this.#received = this.#received.subarray(taken[1]);
        return taken[0];
      }
      assert.ok(!this.#isOver, `the connection ended before ${what}: ${this.#received}`);
      await within(new Promise((wake) => (this.#wake = wake)), what);
    }
  }

  /** The status line and the header fields of the next answer; `fields` has them as they were sent. */
  head() {
    return this.#until((bytes) => {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return undefined;
      const [line, ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
      const fields = lines.map((field) => {
        const at = field.indexOf(":");
        return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()];
      });
      const [version, status] = line.split(" ");
      const all = (name) => fields.filter(([own]) => own === name).map(([, value]) => value);
      return [
        { version, status: Number(status), fields, all, get: (name) => all(name)[0] },
        end + 4,
      ];
    }, "the head of an answer");
  }

  bytes(count) {
    return this.#until(
      (bytes) => (bytes.length < count ? undefined : [bytes.subarray(0, count), count]),
      `${count} bytes`,
    );
  }

  #line() {
    return this.#until((bytes) => {
      const end = bytes.indexOf("\r\n");
      return end < 0 ? undefined : [bytes.toString("latin1", 0, end), end + 2];
    }, "a line");
  }

  /** The body behind a head, by its framing. */
  async body(head) {
    if (head.get("content-length") !== undefined)
      return this.bytes(Number(head.get("content-length")));
    assert.equal(head.get("transfer-encoding"), "chunked");
    const chunks = [];
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16);
      chunks.push(await this.bytes(size));
      assert.equal(await this.#line(), "");
      if (size === 0) return Buffer.concat(chunks);
    }
  }

  async answer() {
    const head = await this.head();
    return { ...head, body: (await this.body(head)).toString() };
  }

  /** Nothing more has come, and nothing comes for a moment in which the server answers something else. */
  get rest() {
    return this.#received.toString();
  }
}

/** A chunk of a body with `Transfer-Encoding: chunked`; the last one is empty. */
export const chunk = (bytes) => {
  const content = Buffer.from(bytes);
  return Buffer.concat([
    Buffer.from(`${content.length.toString(16)}\r\n`),
    content,
    Buffer.from("\r\n"),
  ]);
};
