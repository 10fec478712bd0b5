// A host for tests: the protocol's JSON form over SQLite compiled to WebAssembly, with transactions
// by handle, batches and cursors.
import init, { type Sqlite } from "sql.js";

interface Statement {
  method: string;
  sql: string;
  params?: unknown[];
}

interface Request extends Partial<Statement> {
  method: string;
  steps?: Statement[];
  cursor?: number;
  transaction?: number;
  behavior?: string;
}

interface Transaction {
  readonly handle: number;
  readonly parent: Transaction | undefined;
}

interface Cursor {
  readonly rows: unknown[][];
  readonly transaction: Transaction | undefined;
}

const { Database } = await init();

/**
 * One connection stands for all: a request outside reads what an open transaction has written,
 * which it would not see on a connection of its own.
 */
export class TestHost {
  readonly sqlite: Sqlite = new Database();
  /** Every request, in order. */
  readonly requests: Request[] = [];
  /** Throws or answers instead of the next request that it says something about. */
  intercept: ((request: Request) => unknown) | undefined;
  /** The rows of one piece of a cursor. */
  pieceRows = 2;
  readonly #open = new Map<number, Transaction>();
  readonly #cursors = new Map<number, Cursor>();
  // Who has the right to write: never a savepoint.
  #writer: Transaction | undefined;
  #numbers = 0;

  constructor() {
    this.sqlite.run("PRAGMA foreign_keys = ON");
  }

  readonly call = (payload: string): string => {
    const request = JSON.parse(payload) as Request;
    this.requests.push(request);
    try {
      return JSON.stringify(this.intercept?.(request) ?? this.#answer(request));
    } catch (error) {
      return JSON.stringify({ error: errorOf(error) });
    }
  };

  /** The requests as short texts: `begin`, `run insert into ... @1`. */
  get log(): string[] {
    return this.requests.map(({ method, sql, transaction }) =>
      [method, sql, transaction === undefined ? undefined : `@${transaction}`]
        .filter(Boolean)
        .join(" "),
    );
  }

  get openTransactions(): number {
    return this.#open.size;
  }

  get openCursors(): number {
    return this.#cursors.size;
  }

  #answer(request: Request): unknown {
    const { method, cursor = 0 } = request;
    if (method === "fetch") return this.#fetch(cursor);
    if (method === "close") return this.#cursors.delete(cursor) && {};
    const transaction = this.#transactionOf(request);
    switch (method) {
      case "begin":
        return { transaction: this.#begin(transaction, request.behavior) };
      case "commit":
      case "rollback":
        this.#end(transaction as Transaction, method);
        return {};
      case "batch":
        return { results: this.#batch(request.steps ?? [], transaction) };
      case "iterate":
        return this.#iterate(request as Statement, transaction);
      default:
        if (isWrite(request.sql)) this.#takeTurn(transaction);
        return this.#execute(request as Statement);
    }
  }

  #transactionOf({ transaction: handle }: Request): Transaction | undefined {
    if (handle === undefined) return undefined;
    const found = this.#open.get(handle);
    if (!found) throw new Refusal("conflict", `transaction ${handle} has ended`);
    if ([...this.#open.values()].some(({ parent }) => parent === found)) {
      throw new Refusal("conflict", `transaction ${handle} has an open savepoint`);
    }
    return found;
  }

  // Only one may write. Outside of a transaction, the turn ends with the request.
  #takeTurn(transaction: Transaction | undefined): void {
    let root = transaction;
    while (root?.parent) root = root.parent;
    if (this.#writer && this.#writer !== root) {
      const waitsFor = this.#writer.handle;
      throw new Refusal("conflict", `transaction ${waitsFor} is writing`, { waitsFor });
    }
    if (this.#writer || !root) return;
    this.sqlite.run("BEGIN");
    this.#writer = root;
  }

  #begin(parent: Transaction | undefined, behavior: string | undefined): number {
    const made = { handle: this.#numbers + 1, parent };
    if (behavior !== "deferred" || parent) this.#takeTurn(parent ?? made);
    if (parent) this.sqlite.run(`SAVEPOINT s${made.handle}`);
    this.#numbers++;
    this.#open.set(made.handle, made);
    return made.handle;
  }

  #end(transaction: Transaction, method: "commit" | "rollback"): void {
    const { handle, parent } = transaction;
    if (parent) {
      if (method === "rollback") this.sqlite.run(`ROLLBACK TO s${handle}`);
      this.sqlite.run(`RELEASE s${handle}`);
    } else if (this.#writer === transaction) {
      this.sqlite.run(method);
      this.#writer = undefined;
    }
    this.#open.delete(handle);
    for (const [number, cursor] of this.#cursors) {
      if (cursor.transaction === transaction) this.#cursors.delete(number);
    }
  }

  #batch(steps: Statement[], transaction: Transaction | undefined): unknown[] {
    if (steps.length === 0) throw new Refusal("invalid-request", "a batch has a statement");
    if (steps.some(({ sql }) => isWrite(sql))) this.#takeTurn(transaction);
    this.sqlite.run("SAVEPOINT batch");
    let step = 0;
    try {
      const results = steps.map((each) => {
        step++;
        return this.#execute(each);
      });
      this.sqlite.run("RELEASE batch");
      return results;
    } catch (error) {
      this.sqlite.run("ROLLBACK TO batch");
      this.sqlite.run("RELEASE batch");
      throw new Refusal("", "", { ...errorOf(error), step });
    }
  }

  #iterate(statement: Statement, transaction: Transaction | undefined): unknown {
    if (isWrite(statement.sql)) throw new Refusal("invalid-request", "iterate only reads");
    const { rows } = this.#execute({ ...statement, method: "all" });
    this.#cursors.set(++this.#numbers, { rows: rows as unknown[][], transaction });
    return this.#fetch(this.#numbers);
  }

  #fetch(number: number): unknown {
    const cursor = this.#cursors.get(number);
    if (!cursor) throw new Refusal("conflict", `cursor ${number} is closed`);
    const rows = cursor.rows.splice(0, this.pieceRows);
    if (cursor.rows.length > 0) return { rows, cursor: number };
    this.#cursors.delete(number);
    return { rows };
  }

  #execute({ sql, params = [], method }: Statement): { rows: unknown } {
    if (/^\s*(begin|commit|rollback|savepoint|release)\b/i.test(sql))
      throw new Refusal("not-allowed", "use begin");
    const before = this.#number("SELECT total_changes()");
    const statement = this.sqlite.prepare(sql);
    const rows: unknown[][] = [];
    try {
      statement.bind(params.map(bound));
      while (statement.step()) rows.push(statement.get(null, { useBigInt: true }).map(wire));
    } finally {
      statement.free();
    }
    const changes = this.#number("SELECT total_changes()") - before;
    const isInsert = changes > 0 && /^\s*insert/i.test(sql);
    const lastInsertRowid = isInsert ? this.#number("SELECT last_insert_rowid()") : 0;
    return {
      rows: method === "get" ? (rows[0] ?? null) : rows,
      changes,
      lastInsertRowid,
    } as { rows: unknown };
  }

  #number(sql: string): number {
    return Number(this.sqlite.exec(sql)[0]?.values[0]?.[0]);
  }
}

function isWrite(sql = ""): boolean {
  return /^\s*(insert|update|delete|replace|create|drop|alter)\b/i.test(sql);
}

class Refusal extends Error {
  readonly error: object;

  constructor(code: string, message: string, detail: object = {}) {
    super(message);
    this.error = { code, message, ...detail };
  }
}

function bound(value: unknown): unknown {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "object" || value === null) return value;
  const { $int, $real, $blob } = value as { $int?: string; $real?: string; $blob?: string };
  if ($int !== undefined) return BigInt($int);
  if ($real === "NaN") throw new Refusal("invalid-request", "SQLite would store NaN as NULL");
  if ($real !== undefined) return Number($real);
  if ($blob !== undefined) return new Uint8Array(Buffer.from($blob, "base64"));
  throw new Refusal("invalid-request", "no such value");
}

function wire(value: unknown): unknown {
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : { $int: String(value) };
  }
  if (typeof value === "number" && !Number.isFinite(value)) return { $real: String(value) };
  return value instanceof Uint8Array ? { $blob: Buffer.from(value).toString("base64") } : value;
}

const VIOLATIONS = [
  [/^UNIQUE constraint failed: (\w+)\.(\w+)/, "unique", "SQLITE_CONSTRAINT_UNIQUE", 2067],
  [/^NOT NULL constraint failed: (\w+)\.(\w+)/, "not-null", "SQLITE_CONSTRAINT_NOTNULL", 1299],
  [
    /^cannot store \w+ value in \w+ column (\w+)\.(\w+)/,
    "type",
    "SQLITE_CONSTRAINT_DATATYPE",
    3091,
  ],
  [/^CHECK constraint failed: (\w+)/, "check", "SQLITE_CONSTRAINT_CHECK", 275],
  [/^FOREIGN KEY constraint failed/, "foreign-key", "SQLITE_CONSTRAINT_FOREIGNKEY", 787],
] as const;

function errorOf(error: unknown): object {
  if (error instanceof Refusal) return error.error;
  const message = error instanceof Error ? error.message : String(error);
  for (const [pattern, violation, sqliteCode, extendedCode] of VIOLATIONS) {
    const found = pattern.exec(message);
    if (!found) continue;
    const [, first, second] = found;
    const place =
      second === undefined ? { constraint: first } : { table: first, columns: [second] };
    return {
      code: "conflict",
      message: `${message} (${sqliteCode})`,
      violation,
      sqliteCode,
      extendedCode,
      ...place,
    };
  }
  return { code: "invalid-request", message };
}
