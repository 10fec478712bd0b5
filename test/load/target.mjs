// One server with its databases, as the driver sees it: requests that are held against what they have to be answered, and all that was
// counted meanwhile.
import { Client, CutOff, Misbehaved } from "./client.mjs";
import { Fate, Journal } from "./journal.mjs";

const VIOLATIONS_KEPT_MAX = 50;
const DURATIONS_KEPT_MAX = 200_000;

/** How long the requests of one kind took, in milliseconds: the last of them. */
class Durations {
  #values = [];
  #count = 0;

  add(milliseconds) {
    this.#values[this.#count++ % DURATIONS_KEPT_MAX] = milliseconds;
  }

  summary() {
    const sorted = Float64Array.from(this.#values).sort();
    const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
    const round = (number) => Number(number.toFixed(2));
    return { count: this.#count, p50: round(at(0.5)), p99: round(at(0.99)), max: round(at(1)) };
  }
}

/** The answer is not the one that this request has to get. */
class Violation extends Error {}

const shown = ({ status, body }) => `${status} ${JSON.stringify(body.toString("latin1", 0, 200))}`;

export class Target {
  inFlight = 0;
  /** Requests that were not made because too many were waiting. */
  skipped = 0;
  refused = 0;
  /** Connections that ended before the answer, by whose will it may be. */
  cutOff = 0;
  malformedAnswered = 0;
  /** Whole answers to well-formed requests, by the class of their status. */
  answered = { "2xx": 0, "4xx": 0, "5xx": 0 };
  violationCount = 0;
  violations = [];
  /** The server is being killed: connections may end. */
  mayCutOff = false;
  /** By kind. */
  durations = new Map();
  /** What the app answers as its version: at least the first, at most the second. */
  versions = [0, 0];

  /** `tenants`: the names of the databases; empty: there is one, for all. */
  constructor({ name, server, random, tenants = [] }) {
    this.name = name;
    this.server = server;
    this.random = random;
    this.client = new Client(server.port);
    this.hasTenants = tenants.length > 0;
    this.journals = (this.hasTenants ? tenants : [name]).map((tenant) => new Journal(tenant));
  }

  get answeredCount() {
    return Object.values(this.answered).reduce((sum, count) => sum + count, 0);
  }

  /** A whole number below `count`. */
  below(count) {
    return Math.floor(this.random() * count);
  }

  violate(kind, message) {
    ++this.violationCount;
    if (this.violations.length < VIOLATIONS_KEPT_MAX)
      this.violations.push(`${this.name}, ${kind}: ${message}`);
  }

  /** Runs one of the mix to its end. Never throws: what is wrong is kept. */
  async perform(kind, work, journal) {
    ++this.inFlight;
    const begin = performance.now();
    try {
      await work(this, journal);
    } catch (error) {
      if (error instanceof CutOff) {
        ++this.cutOff;
        if (!this.mayCutOff) this.violate(kind, error.message);
      } else if (error instanceof Violation || error instanceof Misbehaved) {
        this.violate(kind, error.message);
      } else {
        this.violate(kind, error.stack);
      }
    } finally {
      --this.inFlight;
      if (!this.durations.has(kind)) this.durations.set(kind, new Durations());
      this.durations.get(kind).add(performance.now() - begin);
    }
  }

  /** Makes a request that has to be answered with `status`, and answers it; undefined when the server was too busy and said so. */
  async ask(journal, request, status) {
    const tenant = journal && this.hasTenants ? { "x-tenant": journal.name } : {};
    const answer = await this.client.request({
      ...request,
      headers: { ...tenant, ...request.headers },
    });
    ++this.answered[`${Math.floor(answer.status / 100)}xx`];
    if (answer.status === 503 && status !== 503) {
      if (answer.headers.get("retry-after") === undefined)
        throw new Violation(
          `${request.path} is answered 503 without Retry-After: ${shown(answer)}`,
        );
      ++this.refused;
      return undefined;
    }
    this.check(answer.status === status, `${request.path} is answered ${shown(answer)}`);
    this.check(answer.headers.has("x-request-id"), `${request.path} has no x-request-id`);
    return answer;
  }

  /** A request that the client leaves before the answer is whole. It may come before that, too. */
  async leave(journal, request) {
    try {
      const tenant = this.hasTenants ? { "x-tenant": journal.name } : {};
      const { status } = await this.client.request({ ...request, headers: tenant });
      ++this.answered[`${Math.floor(status / 100)}xx`];
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
      ++this.cutOff;
    }
  }

  check(holds, message) {
    if (!holds) throw new Violation(message);
  }

  /** Asks for an entry to be written; `status` is what that has to be answered, and `fate` what the database then has to hold. */
  async write(
    journal,
    {
      path = (number) => `/entry/${number}`,
      valueOf,
      status = 201,
      fate = Fate.Acknowledged,
      ...more
    },
  ) {
    const number = journal.next();
    const request = {
      method: "POST",
      path: path(number),
      body: valueOf(journal.name, number),
      ...more,
    };
    const answer = await this.ask(journal, request, status);
    journal.set(number, answer === undefined ? Fate.Absent : fate);
  }
}
