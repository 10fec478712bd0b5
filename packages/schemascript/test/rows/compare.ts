// Runs the queries through the driver and through Drizzle's own driver for proxies, which makes SQL
// with Drizzle's dialect and maps rows with its mapResultRow, and tells where the SQL, its parameters
// or the answers differ.
import type { Logger } from "drizzle-orm";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import { database } from "schemascript";
import { fill, queriesOf, type Run, type TestDatabase } from "./queries.js";
import { randomQueriesOf } from "./random.js";
import { oddStatements, schema } from "./tables.js";

type Call = (payload: string) => string;

/** One line for each difference, and how many queries there were. */
export interface Comparison {
  readonly count: number;
  readonly differences: readonly string[];
}

/** `call` and `open` lead to one database, in which the tables of the schema exist. */
export async function compare(
  call: Call,
  open: typeof database,
  seeds: readonly number[] = [],
): Promise<Comparison> {
  const log: unknown[] = [];
  const logger = { logQuery: (...query: unknown[]) => void log.push(query) };
  const db = open({ schema, logger });
  for (const statement of oddStatements) await db.run(statement);
  await fill(db);
  const proxy = proxyDatabase(call, logger);
  const ours = { ...queriesOf(db), ...randomQueriesOf(db, seeds) };
  const theirs = { ...queriesOf(proxy), ...randomQueriesOf(proxy, seeds) };
  const differences: string[] = [];
  const outcomeOf = async (run: Run) => {
    log.length = 0;
    return { ...(await answerOf(run)), log: [...log] };
  };
  for (const [name, run] of Object.entries(ours)) {
    const [actual, expected] = [await outcomeOf(run), await outcomeOf(theirs[name] as Run)];
    if (!isSame(actual, expected)) {
      differences.push(`${name}: ${shown(actual)} instead of ${shown(expected)}`);
    }
  }
  return { count: Object.keys(ours).length, differences };
}

function proxyDatabase(call: Call, logger: Logger): TestDatabase {
  const db = drizzle(
    async (sql, params, method) => {
      const request = { sql, params: (params as unknown[]).map(tagged), method };
      const answer = JSON.parse(call(JSON.stringify(request)), untagged) as {
        rows: unknown[];
        error?: { message: string };
      };
      if (answer.error) throw new Error(answer.error.message);
      return { rows: (answer.rows ?? undefined) as unknown[] };
    },
    { schema, logger },
  );
  return db as unknown as TestDatabase;
}

function tagged(value: unknown): unknown {
  if (typeof value === "bigint") return { $int: String(value) };
  if (typeof value === "number" && !Number.isFinite(value)) return { $real: String(value) };
  return value instanceof Uint8Array ? { $blob: btoa(String.fromCharCode(...value)) } : value;
}

// The rows of this host hold no objects but tags; text that looks like one is text.
function untagged(key: string, value: unknown): unknown {
  if (key === "error" || typeof value !== "object" || value === null) return value;
  const { $int, $real, $blob, $text } = value as Record<string, string | undefined>;
  if ($int !== undefined) return BigInt($int);
  if ($real !== undefined) return Number($real);
  const bytes = $blob ?? $text;
  if (bytes === undefined) return value;
  return Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
}

type Answer = { readonly value: unknown } | { readonly error: string };

async function answerOf(run: Run): Promise<Answer> {
  try {
    return { value: await run() };
  } catch (error) {
    // Drizzle wraps what the host says, and not what a conversion says.
    const { message, cause } = error as Error;
    return { error: message.startsWith("Failed query") ? (cause as Error).message : message };
  }
}

/** Equal in value, type and order of names. */
export function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) {
    return Object.is(one, other);
  }
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  if (one instanceof Date) return Object.is(one.getTime(), (other as Date).getTime());
  if (one instanceof Uint8Array) {
    const bytes = other as Uint8Array;
    return one.length === bytes.length && one.every((byte, at) => byte === bytes[at]);
  }
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  return (
    keys.length === others.length &&
    keys.every(
      (key, at) => key === others[at] && isSame(Reflect.get(one, key), Reflect.get(other, key)),
    )
  );
}

function shown(outcome: object): string {
  const text = JSON.stringify(outcome, (_key, value: unknown) =>
    typeof value === "bigint"
      ? `${value}n`
      : typeof value === "number" && !Number.isFinite(value)
        ? String(value)
        : value,
  );
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
