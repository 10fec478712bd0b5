// Rows in pieces: a query whose result is read while it is used. One piece is in memory at a time.
import type { Host, HostRows, HostStatement } from "./host.js";
import type { Values } from "./params.js";
import type { PreparedQuery } from "./prepared.js";
import { attempt, reject, type Scope } from "./scope.js";

type Next = IteratorResult<unknown, undefined>;

const DONE: Next = { done: true, value: undefined };

/** The rows of a query; each loop over it runs the query anew. */
export class PiecewiseRows implements AsyncIterable<unknown> {
  readonly #scope: Scope;
  readonly #query: PreparedQuery;
  readonly #values: Values | undefined;

  constructor(scope: Scope, query: PreparedQuery, values: Values | undefined) {
    this.#scope = scope;
    this.#query = query;
    this.#values = values;
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    return new RowIterator(this.#scope, this.#query, this.#values);
  }
}

/**
 * One loop.
 *
 *     new  --next()-->  open  --the last piece, or a failure-->  done
 *     new, open  --return(), throw()-->  done
 *
 * A cursor is open on the host only while there may be more rows.
 */
class RowIterator implements AsyncIterableIterator<unknown, undefined> {
  readonly #scope: Scope;
  readonly #query: PreparedQuery;
  readonly #values: Values | undefined;
  // Of a call that waits in line: the next one comes after it.
  #waiting: Promise<unknown> | undefined;
  #state: "new" | "open" | "done" = "new";
  #statement: HostStatement | undefined;
  #mapRow: ((row: unknown[]) => unknown) | undefined;
  #rows: readonly unknown[] = [];
  #at = 0;
  #cursor = 0;

  constructor(scope: Scope, query: PreparedQuery, values: Values | undefined) {
    this.#scope = scope;
    this.#query = query;
    this.#values = values;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Next> {
    if (this.#waiting) return this.#waiting.then(() => this.next());
    // Most rows: they are there, and are what they are to be.
    if (this.#at < this.#rows.length && !this.#mapRow) {
      return Promise.resolve({ done: false, value: this.#rows[this.#at++] });
    }
    return this.#state === "new" ? this.#open() : attempt(() => this.#next());
  }

  return(): Promise<Next> {
    if (this.#waiting) return this.#waiting.then(() => this.return());
    return attempt(() => {
      this.#close();
      return DONE;
    });
  }

  throw(error: unknown): Promise<Next> {
    return this.return().then(() => reject(error));
  }

  #open(): Promise<Next> {
    const scope = this.#scope;
    return attempt(() => {
      this.#state = "done"; // Unless the first piece comes.
      const { statement, mapRow } = this.#query.pieces();
      const params = this.#query.bind(this.#values);
      this.#statement = statement;
      this.#mapRow = mapRow;
      const opened = scope.run({
        what: () => this.#query.nameIn(scope),
        perform: () => {
          this.#take(this.#host.iterate(statement, params, scope.handle));
          return this.#next();
        },
      });
      const settled = () => (this.#waiting = undefined);
      if (!this.#isOpen) this.#waiting = opened.then(settled, settled);
      return opened;
    });
  }

  get #isOpen(): boolean {
    return this.#state === "open";
  }

  #next(): Next {
    while (this.#at === this.#rows.length) {
      if (this.#cursor === 0) {
        this.#close();
        return DONE;
      }
      this.#fetch();
    }
    const row = this.#rows[this.#at++];
    try {
      return { done: false, value: this.#mapRow ? this.#mapRow(row as unknown[]) : row };
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  #fetch(): void {
    const refusal = this.#scope.refusal();
    const cursor = this.#cursor;
    try {
      if (refusal) throw refusal;
      this.#take({ rows: [], cursor }); // The last piece goes before the next one comes.
      this.#take(this.#host.fetch(this.#statement as HostStatement, cursor));
    } catch (error) {
      // Closed on the host already where the statement failed; not where a row was refused here.
      this.#abandon();
      throw error;
    }
  }

  #take({ rows, cursor }: HostRows): void {
    this.#rows = rows;
    this.#at = 0;
    this.#cursor = cursor;
    this.#state = "open";
  }

  #close(): void {
    const cursor = this.#cursor;
    this.#state = "done";
    this.#cursor = 0;
    this.#rows = [];
    this.#at = 0;
    // The end of a transaction has closed its cursors.
    if (cursor !== 0 && !this.#scope.refusal()) this.#host.close(cursor);
  }

  // Why it is closed is what to tell.
  #abandon(): void {
    try {
      this.#close();
    } catch {
      // The cursor ends with the program.
    }
  }

  get #host(): Host {
    return this.#scope.connection.host;
  }
}
