// What the programs of Node, Bun and Deno have in common: their SQLite libraries have nearly the same functions.

export const PRAGMAS = ["journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"];

export const database = () => process.env.BENCH_DATABASE;

/** `prepare(sql)` answers a statement with get(), all() and run(). */
export const rawOver = (prepare) =>
  Object.fromEntries(
    ["get", "all", "run"].map((method) => [
      method,
      (sql) => {
        const statement = prepare(sql);
        return (...parameters) => statement[method](...parameters);
      },
    ]),
  );

/** `work` with BEGIN before and COMMIT behind it, awaited where it is a promise. */
export const transactionOver = (execute, db) => (work) => {
  execute("begin");
  const end = (value) => {
    execute("commit");
    return value;
  };
  const undo = (error) => {
    execute("rollback");
    throw error;
  };
  try {
    const result = work(db);
    return result instanceof Promise ? result.then(end, undo) : end(result);
  } catch (error) {
    return undo(error);
  }
};

export async function* lines() {
  const { createInterface } = await import("node:readline");
  yield* createInterface({ input: process.stdin });
}

/** A thread with a program of its own, until it has said its first row. `worker` has onmessage and onerror. */
export const firstRowOf = (worker) =>
  new Promise((done, fail) => {
    worker.onmessage = ({ data }) => done({ row: JSON.parse(data), end: () => worker.terminate() });
    worker.onerror = fail;
  });

/** Of a database that Drizzle does not know: rows as arrays, statements kept. `prepare` answers such as do so. */
export function proxied(drizzle, prepare) {
  const statements = new Map();
  return drizzle(async (sql, parameters, method) => {
    let statement = statements.get(sql);
    if (!statement) statements.set(sql, (statement = prepare(sql)));
    if (method !== "run") {
      return { rows: statement[method === "get" ? "get" : "all"](...parameters) };
    }
    statement.run(...parameters);
    return { rows: [] };
  });
}
