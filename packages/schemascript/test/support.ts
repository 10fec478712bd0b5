// A host for tests: the protocol's JSON form over SQLite compiled to WebAssembly, transactions by
// handle included.
import init, { type Sqlite } from "sql.js";

interface Request {
  sql?: string;
  params?: unknown[];
  method: string;
  transaction?: number;
  behavior?: string;
}

const { Database } = await init();

export class TestHost {
  readonly sqlite: Sqlite = new Database();
  /** Every request, in order. */
  readonly requests: Request[] = [];
  /** Throws or answers instead of the next request that it says something about. */
  intercept: ((request: Request) => unknown) | undefined;
  readonly #open: number[] = [];
  #handles = 0;

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

  #answer(request: Request): unknown {
    const { method, transaction, behavior = "immediate" } = request;
    const innermost = this.#open.at(-1);
    if (transaction !== innermost) throw new Refusal("conflict", "another transaction is open");
    switch (method) {
      case "begin":
        this.sqlite.run(innermost === undefined ? `BEGIN ${behavior}` : `SAVEPOINT s${innermost}`);
        this.#open.push(++this.#handles);
        return { transaction: this.#handles };
      case "commit":
      case "rollback":
        this.#end(method);
        return {};
      default:
        return this.#execute(request);
    }
  }

  #end(method: "commit" | "rollback"): void {
    const parent = this.#open.at(-2);
    if (parent === undefined) {
      this.sqlite.run(method);
    } else {
      if (method === "rollback") this.sqlite.run(`ROLLBACK TO s${parent}`);
      this.sqlite.run(`RELEASE s${parent}`);
    }
    this.#open.pop();
  }

  #execute({ sql = "", params = [], method }: Request): unknown {
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
    return { rows: method === "get" ? (rows[0] ?? null) : rows, changes, lastInsertRowid };
  }

  #number(sql: string): number {
    return Number(this.sqlite.exec(sql)[0]?.values[0]?.[0]);
  }
}

class Refusal extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
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
  if (error instanceof Refusal) return { code: error.code, message: error.message };
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
