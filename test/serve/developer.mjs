// `schemascript dev` for a test: in a folder of its own, whose files the test writes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { program } from "./server.mjs";

export const SECONDS_MAX = 60;

/** What `look` answers once that is something, which it is soon, or `what` fails. */
export async function until(look, what) {
  const end = Date.now() + SECONDS_MAX * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, typeof what === "function" ? what() : what);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** A folder with files, which ends with the test. */
export class Project {
  folder = mkdtempSync(join(tmpdir(), "dev-"));

  constructor(files) {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }
  path(name) {
    return join(this.folder, name);
  }
  write(name, text) {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }
  /** As editors do: the new text in another file, which then gets the name. */
  replace(name, text) {
    this.write(`${name}.tmp`, text);
    renameSync(this.path(`${name}.tmp`), this.path(name));
  }
  remove(name) {
    rmSync(this.path(name), { recursive: true });
  }
}

/** One server. Whoever starts it stops it. */
export class Developer {
  #child;
  #ended;
  errors = "";
  output = "";

  static async start(project, options = ["--port", "0"]) {
    const developer = new Developer();
    developer.#spawn(project, options);
    developer.url = await developer.said(/^schemascript: serving .* at (http:\/\/\S+)/m);
    return developer;
  }

  #spawn(project, options) {
    this.#child = spawn(program, ["dev", "app.ts", ...options], {
      cwd: project.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#ended = once(this.#child, "close").then((end) => (this.ended = end));
    this.#child.stdout.setEncoding("utf8").on("data", (text) => (this.output += text));
    this.#child.stderr.setEncoding("utf8").on("data", (text) => (this.errors += text));
  }

  /** What standard error says, from now on if `offset` is where it is now: the first group of the pattern. */
  async said(pattern, offset = 0) {
    const match = await until(
      () => {
        const found = pattern.exec(this.errors.slice(offset));
        assert.ok(found || !this.ended, `the server ended with ${this.ended}:\n${this.errors}`);
        return found;
      },
      () => `the server did not say ${pattern}:\n${this.errors}`,
    );
    return match[1] ?? match[0];
  }

  /** Makes a change, and waits for what is said about it. */
  async after(change, pattern) {
    const offset = this.errors.length;
    await change();
    return this.said(pattern, offset);
  }
  reloaded(change) {
    return this.after(change, /^schemascript: reloaded in \d+ ms.*$/m);
  }
  broken(change) {
    return this.after(
      change,
      /^schemascript: (?:not reloaded: )?requests get this error until it is fixed$/m,
    );
  }

  async fetch(path = "/", { accept = "*/*", ...options } = {}) {
    const response = await fetch(this.url + path, {
      signal: AbortSignal.timeout(SECONDS_MAX * 1000),
      ...options,
      headers: { accept, ...options.headers },
    });
    return { status: response.status, headers: response.headers, body: await response.text() };
  }

  signal(name) {
    this.#child.kill(name);
  }

  /** Ends it as Ctrl-C does, and holds it to ending well and soon. */
  async stop(signal = "SIGINT") {
    const begin = Date.now();
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), SECONDS_MAX * 1000);
    await this.#ended;
    clearTimeout(timer);
    assert.deepEqual(this.ended, [0, null], this.errors);
    assert.doesNotMatch(this.errors, /requests were cut off/);
    return Date.now() - begin;
  }
}

/** Clients that ask for `/` without a pause, each on a connection of its own, and want every request answered. */
export class Hammer {
  answers = [];
  #isOver = false;
  #clients;

  constructor(url, count = 4) {
    this.#clients = Array.from({ length: count }, () => this.#run(url));
  }

  async #run(url) {
    while (!this.#isOver) {
      this.answers.push(await this.#ask(url));
    }
  }

  #ask(url) {
    return new Promise((answered) => {
      const asked = request(url, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text) => (body += text));
        response.on("end", () => answered(`${response.statusCode} ${body}`));
        response.on("error", (error) => answered(`${error}`));
      });
      asked.on("error", (error) => answered(`${error}`));
      asked.end();
    });
  }

  async stop() {
    this.#isOver = true;
    await Promise.all(this.#clients);
    return this.answers;
  }
}

/** Events of a stream, as they come. */
export class Events {
  text = "";
  #stop = new AbortController();

  static async open(url, headers = {}) {
    const events = new Events();
    const response = await fetch(url, { headers, signal: events.#stop.signal });
    events.status = response.status;
    events.type = response.headers.get("content-type");
    events.done = (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of response.body) {
        events.text += decoder.decode(bytes, { stream: true });
      }
      events.isOver = true;
    })().catch(() => (events.isOver = true));
    return events;
  }
  comes(pattern) {
    return until(
      () => pattern.exec(this.text),
      () => `no ${pattern} in ${this.text}`,
    );
  }
  close() {
    this.#stop.abort();
  }
}
