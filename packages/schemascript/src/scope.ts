// Where requests are made: a program's connection, its transactions, and the lines in which
// requests wait.
//
// The host executes a request while the call lasts, so a query is done when it is issued. Nothing
// here is an `async` function: QuickJS gives an error its stack where it is first thrown, and what
// rejects a promise without being thrown is first thrown by the `await` in the user's code. So the
// stack of a failed query is the line that awaited it.
import { DatabaseError, SchemaScriptError } from "./errors.js";
import type { Host } from "./host.js";
import type { KnownTable } from "./known-table.js";
import { StatementCache } from "./statement-cache.js";

const SQL_SHOWN_MAX = 60;

/** One request, done when it is called. It may be called again: where it had to wait. */
export interface Work<Result> {
  /** What waits, as a sentence begins: "a query through `db`". Only asked for when it does. */
  readonly what: () => string;
  perform(): Result;
}

interface Waiting {
  readonly what: () => string;
  /** True when it is settled; false when it has to wait on. */
  tryAgain(): boolean;
}

// Every connection that was opened: the program's, and those of tests.
const connections: Connection[] = [];

/** What all databases of a program share: the host, its open transactions, who waits to write. */
export class Connection {
  readonly #findHost: () => Host;
  // Those who were told to wait for a transaction, in the order in which they came. There is one
  // right to write, so all of them wait for the same one.
  readonly #line: Waiting[] = [];
  readonly #open = new Map<number, Scope>();
  #host: Host | undefined;
  #statements: StatementCache | undefined;

  constructor(findHost: () => Host) {
    this.#findHost = findHost;
    connections.push(this);
  }

  /** Throws where there is none. */
  get host(): Host {
    return (this.#host ??= this.#findHost());
  }

  /** Statements that were made for its host. */
  get statements(): StatementCache {
    return (this.#statements ??= new StatementCache(this.host));
  }

  /** Queries of these tables will come. */
  expect(tables: readonly KnownTable[]): void {
    let statements: StatementCache;
    try {
      statements = this.statements;
    } catch {
      return; // There is no host, which its first query will say.
    }
    for (const { selection, source, fields, joins } of tables) {
      statements.find(`select ${selection} from ${source}`, fields, joins);
    }
  }

  isOpen(handle: number): boolean {
    return this.#open.has(handle);
  }

  opened(scope: Scope): void {
    this.#open.set(scope.handle, scope);
  }

  /** Whoever waited for the transaction does so no longer. */
  ended(scope: Scope): void {
    this.#open.delete(scope.handle);
    // The first that has to wait again does so for the next one that writes, like all behind it.
    for (;;) {
      const next = this.#line.shift();
      if (!next) break;
      if (next.tryAgain()) continue;
      this.#line.unshift(next);
      break;
    }
  }

  waits(waiting: Waiting): void {
    this.#line.push(waiting);
  }

  /** What waits for a transaction, and what for a savepoint. */
  pending(): string | undefined {
    const [first] = this.#line;
    if (first) {
      return `${first.what()} waits for the transaction that is waiting for it: use \`tx\` inside of transaction()`;
    }
    for (const scope of this.#open.values()) {
      const what = scope.firstInLine();
      if (what !== undefined) {
        return `${what} waits for the savepoint that is waiting for it: use the inner \`tx\` inside of tx.transaction()`;
      }
    }
    return undefined;
  }
}

export function allConnections(): readonly Connection[] {
  return connections;
}

/**
 * For the host, when a program waits for what nothing can settle: why that may be, if it is about
 * transactions.
 */
export function pendingHint(): string | undefined {
  for (const connection of connections) {
    const hint = connection.pending();
    if (hint !== undefined) return hint;
  }
  return undefined;
}

/** What a waiting query is called: "a query through `db` (select ...)". */
export function queryName(through: string, sql: string): string {
  const line = sql.replaceAll(/\s+/g, " ").trim();
  const shown = line.length > SQL_SHOWN_MAX ? `${line.slice(0, SQL_SHOWN_MAX)}...` : line;
  return `a query through ${through} (${shown})`;
}

/**
 * The connection outside of transactions, or a transaction on it, or a savepoint in that.
 *
 * Outside, a request goes to the host at once; the host may say that it has to wait for a
 * transaction. A transaction takes its requests one after the other:
 *
 *     free  --a savepoint begins, or a request has to wait-->  blocked, others wait in its line
 *     blocked  --that has ended, nobody in line-->  free
 *     free  --commit, rollback-->  ended: everything is refused
 */
export class Scope {
  readonly connection: Connection;
  /** 0: outside of any transaction. */
  readonly handle: number;
  /** It takes a request now. */
  isFree = true;
  readonly #parent: Scope | undefined;
  readonly #line: Waiting[] = [];
  #inner: Scope | undefined;
  #isBlocked = false;
  #isEnded = false;

  constructor(connection: Connection, handle = 0, parent?: Scope) {
    this.connection = connection;
    this.handle = handle;
    this.#parent = parent;
  }

  /** How a user reaches it. */
  get name(): string {
    return this.handle === 0 ? "`db`" : "`tx`";
  }

  /** Does the work at once, or when it is its turn. */
  run<Result>(work: Work<Result>): Promise<Awaited<Result>> {
    if (!this.#isBlocked) return this.#attempt(work);
    return new Promise((resolve) => {
      const tryAgain = () => {
        resolve(this.#attempt(work));
        return true;
      };
      this.#line.push({ what: work.what, tryAgain });
    });
  }

  /**
   * What becomes of work that has thrown: it waits, where the host says for whom and that is a
   * transaction of ours; else it has failed.
   */
  recover<Result>(error: unknown, work: Work<Result>): Promise<Awaited<Result>> {
    if (!this.#mayWait(error)) return reject(error);
    // What follows in a transaction comes after it.
    if (this.handle !== 0) this.#block();
    return new Promise((resolve) => {
      const tryAgain = () => {
        let outcome: Promise<Awaited<Result>>;
        try {
          outcome = Promise.resolve(work.perform());
        } catch (again) {
          if (this.#mayWait(again)) return false;
          outcome = reject(again);
        }
        resolve(outcome);
        if (this.handle !== 0 && !this.#inner) this.#unblock();
        return true;
      };
      this.connection.waits({ what: work.what, tryAgain });
    });
  }

  /** Runs `body` in a transaction; inside of one, in a savepoint. */
  transaction<Result>(body: (inner: Scope) => Result, behavior?: string): Promise<Awaited<Result>> {
    return this.run({
      what: () => (this.handle === 0 ? "`db.transaction()`" : "a savepoint of `tx`"),
      perform: () => this.#begin(body, behavior),
    });
  }

  /** What waits in its own line, if anything does. */
  firstInLine(): string | undefined {
    return this.#line[0]?.what();
  }

  #begin<Result>(body: (inner: Scope) => Result, behavior?: string): Promise<Awaited<Result>> {
    const { connection } = this;
    const handle = connection.host.begin(behavior, this.handle);
    const inner = new Scope(connection, handle, this);
    connection.opened(inner);
    if (this.handle !== 0) {
      this.#inner = inner;
      this.#block();
    }
    // Why it is undone is what to tell, also where the rollback fails: a failed commit is one.
    const undo = (error: unknown): Promise<never> => {
      const fail = () => {
        inner.#close();
        return Promise.reject(error);
      };
      return inner.#end("rollback").then(fail, fail);
    };
    return attempt(() => body(inner)).then(
      (result) => inner.#end("commit").then(() => result, undo),
      undo,
    );
  }

  // Takes its place in the line: a savepoint that nobody awaited ends before its transaction does.
  #end(method: "commit" | "rollback"): Promise<void> {
    return this.run({
      what: () => `the ${method} of \`tx\``,
      perform: () => {
        this.connection.host[method](this.handle);
        this.#close();
      },
    });
  }

  #close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.isFree = false;
    const parent = this.#parent;
    if (parent && parent.#inner === this) {
      parent.#inner = undefined;
      parent.#unblock();
    }
    this.connection.ended(this);
  }

  #attempt<Result>(work: Work<Result>): Promise<Awaited<Result>> {
    if (this.#isEnded) return reject(this.refusal());
    try {
      return Promise.resolve(work.perform());
    } catch (error) {
      return this.recover(error, work);
    }
  }

  /** The error of a request that comes too late; undefined while it does not. */
  refusal(): SchemaScriptError | undefined {
    if (!this.#isEnded) return undefined;
    return new SchemaScriptError(
      "conflict",
      "this transaction has ended: await every query inside of transaction()",
    );
  }

  #mayWait(error: unknown): boolean {
    return (
      error instanceof DatabaseError &&
      error.waitsFor !== undefined &&
      this.connection.isOpen(error.waitsFor)
    );
  }

  #block(): void {
    this.#isBlocked = true;
    this.isFree = false;
  }

  // Whoever is in line takes his turn, up to the next one that blocks it. One that has ended
  // refuses them.
  #unblock(): void {
    this.#isBlocked = false;
    this.isFree = !this.#isEnded;
    while (!this.#isBlocked) {
      const next = this.#line.shift();
      if (!next) break;
      next.tryAgain();
    }
  }
}

/** What throws becomes a rejected promise that is not yet thrown to anybody. */
export function attempt<Result>(work: () => Result): Promise<Awaited<Result>> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return reject(error);
  }
}

export function reject(error: unknown): Promise<never> {
  // Ours get the stack of whoever awaits them. Others, such as a user's conversion's, keep theirs.
  if (error instanceof SchemaScriptError && rebuildsStacks()) {
    Reflect.deleteProperty(error, "stack");
  }
  return Promise.reject(error);
}

// Whether this engine gives an error without a stack a new one when it is thrown. QuickJS does; V8
// does not.
let rebuilds: boolean | undefined;

function rebuildsStacks(): boolean {
  if (rebuilds === undefined) {
    const probe = new Error();
    Reflect.deleteProperty(probe, "stack");
    try {
      throw probe;
    } catch {
      rebuilds = Object.hasOwn(probe, "stack");
    }
  }
  return rebuilds;
}
