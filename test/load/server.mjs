// A server under test: the process, what it says and counts, and what the machine knows about it.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const STARTED_TIME_MAX = 30_000;
const SAID_BYTES_MAX = 64 * 1024;
// So much of what was said before is looked at again: what is awaited may come in two pieces.
const SEAM_LENGTH = 40;
// In a line of the log that is about a request.
const STATUS_FIELD = '"status":';

/** A port that nobody listens at. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** What a command prints. Throws when it fails. */
export function output(file, words, options = {}) {
  const result = spawnSync(file, words, { encoding: "utf8", maxBuffer: 1 << 30, ...options });
  if (result.status === 0) return result.stdout;
  throw new Error(`${file} ${words.join(" ")} failed: ${result.error ?? result.stderr}`);
}

export class Server {
  #child;
  #ended;
  #words;
  /** The end of what it has said on standard error. */
  said = "";
  /** The end of its log, in which each request is a line. */
  log = "";
  loggedRequests = 0;
  #awaited = "";
  #hasSaidAwaited = false;

  /** `words`: behind `schemascript serve`, without ports. */
  constructor(program, words, { port, adminPort }) {
    this.program = program;
    this.port = port;
    this.adminPort = adminPort;
    this.#words = ["serve", ...words, "--port", String(port), "--admin-port", String(adminPort)];
  }

  get pid() {
    return this.#child.pid;
  }

  /** Returns when it says that it serves. Throws with what it says instead. */
  async start() {
    const child = spawn(this.program, this.#words, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.#ended = once(child, "close");
    this.said = "";
    this.loggedRequests = 0;
    child.stdout.setEncoding("latin1").on("data", (text) => this.#readLog(text));
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#lookFor(this.said.slice(-SEAM_LENGTH) + text);
      this.said = (this.said + text).slice(-SAID_BYTES_MAX);
    });
    const begin = Date.now();
    while (!this.said.includes(": serving ")) {
      if (child.exitCode !== null || Date.now() - begin > STARTED_TIME_MAX) {
        child.kill("SIGKILL");
        throw new Error(`the server does not start: ${this.said}`);
      }
      await sleep(10);
    }
  }

  /** A function that tells whether the server has said `text`, on standard error or in its log, since this call. */
  listenFor(text) {
    this.#awaited = text;
    this.#hasSaidAwaited = false;
    return () => this.#hasSaidAwaited;
  }

  #lookFor(text) {
    if (this.#awaited && text.includes(this.#awaited)) this.#hasSaidAwaited = true;
  }

  #readLog(text) {
    this.#lookFor(this.log.slice(-SEAM_LENGTH) + text);
    // A field that two pieces share is found with the end of the piece before.
    const seam = this.log.slice(1 - STATUS_FIELD.length);
    const searched = seam + text;
    for (let at = searched.indexOf(STATUS_FIELD); at !== -1; ++this.loggedRequests)
      at = searched.indexOf(STATUS_FIELD, at + 1);
    this.log = (this.log + text).slice(-SAID_BYTES_MAX);
  }

  signal(name) {
    this.#child.kill(name);
  }

  get isRunning() {
    return (
      this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
    );
  }

  /** How it has ended: a code, or the name of a signal. Undefined when it has not within `milliseconds`. */
  async ended(milliseconds) {
    const late = new AbortController();
    const end = await Promise.race([
      this.#ended,
      sleep(milliseconds, undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
    return end === undefined ? undefined : (end[0] ?? end[1]);
  }

  async kill() {
    if (!this.isRunning) return;
    this.signal("SIGKILL");
    await this.#ended;
  }

  /** What it counts: each sample of its metrics by its name with labels. */
  async metrics() {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}/metrics`, {
      headers: { connection: "close" },
    });
    const lines = (await response.text()).split("\n").filter((line) => line && line[0] !== "#");
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(" ");
        return [line.slice(0, space).replace(/^schemascript_/, ""), Number(line.slice(space + 1))];
      }),
    );
  }

  async health() {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}/health`, {
      headers: { connection: "close" },
    });
    await response.text();
    return response.status;
  }

  /** Sizes in MB and a number, as the kernel has them: proc(5). Reading the proportional size takes the kernel a while. */
  figures({ withProportional }) {
    const folder = `/proc/${this.pid}`;
    const megabytes = (file, field) =>
      Number(
        new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`${folder}/${file}`, "utf8"))[1],
      ) / 1024;
    return {
      resident: megabytes("status", "VmRSS"),
      ...(withProportional && { proportional: megabytes("smaps_rollup", "Pss") }),
      files: readdirSync(`${folder}/fd`).length,
      threads: readdirSync(`${folder}/task`).length,
    };
  }

  /** Processor time so far in seconds, of user and kernel; a tick is a hundredth. */
  processorSeconds() {
    const fields = readFileSync(`/proc/${this.pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }
}
