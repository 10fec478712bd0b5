// The app under load: what apps do, and what they should not do. driver.mjs knows what each path has to answer.
import { eq, sql } from "drizzle-orm";
import { database } from "schemascript";
import { entries, totals } from "./tables";

// Each reload counts it up.
const VERSION = 0;

const db = database({ entries, totals });
const byNumber = db
  .select({ number: entries.number, value: entries.value })
  .from(entries)
  .where(eq(entries.number, sql.placeholder("number")))
  .prepare();

const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

function loop(): never {
  for (;;);
}

function allocate(): never {
  const all: Uint8Array[] = [];
  for (;;) all.push(new Uint8Array(1 << 20));
}

type Transaction = Parameters<Parameters<typeof db.transaction>[0]>[0];

/** Two tables, which agree as long as transactions are whole. */
const insert = (number: number, value: string, before: () => unknown = () => {}) =>
  db.transaction(async (tx: Transaction) => {
    await tx.insert(entries).values({ number, value });
    await tx
      .insert(totals)
      .values({ id: 1, entries: 1 })
      .onConflictDoUpdate({ target: totals.id, set: { entries: sql`${totals.entries} + 1` } });
    await before();
  });

const ENDINGS: Record<string, () => unknown> = {
  throw() {
    throw new Error("thrown on purpose, inside of a transaction");
  },
  loop,
  sleep: () => sleep(200),
};

const ALPHABET = "abcdefghijklmnopqrstuvwxyz";
const PIECE = new TextEncoder().encode(ALPHABET.repeat(630)); // 16 KB.

/** The alphabet, again and again, made piece by piece as it is read. */
function text(bytes: number): ReadableStream {
  return new ReadableStream({
    pull(controller) {
      const size = Math.min(bytes, PIECE.length);
      if (size > 0) controller.enqueue(PIECE.slice(0, size));
      bytes -= size;
      if (bytes === 0) controller.close();
    },
  });
}

// A request that saw another one's state would answer more than 1.
let requestsSeen = 0;

interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

const HANDLERS: Record<
  string,
  (request: Request, argument: string, url: URL, context: Context) => unknown
> = {
  "GET entry": async (_, number) => Response.json(await byNumber.all({ number: Number(number) })),
  async "POST entry"(request, number, url) {
    const value = await request.text();
    await insert(Number(number), value, ENDINGS[url.searchParams.get("then") ?? ""]);
    return Response.json({ number: Number(number) }, { status: 201 });
  },
  async "POST later"(request, number, _, context) {
    const value = await request.text();
    context.waitUntil(sleep(20).then(() => insert(Number(number), value)));
    return new Response(null, { status: 202 });
  },
  // One statement: the two tables as they were at one moment.
  async "GET totals"() {
    const [rows, counted] = await db.get<[number, number]>(
      sql`select (select count(*) from ${entries}), coalesce((select ${totals.entries} from ${totals}), 0)`,
    );
    return Response.json({ rows, counted });
  },
  "GET version": () => Response.json({ version: VERSION, requestsSeen }),
  "GET throw"() {
    throw new Error("thrown on purpose");
  },
  "GET never": () => new Promise(() => {}),
  "GET loop": loop,
  "GET allocate": allocate,
  async "GET sleep"(_, milliseconds) {
    await sleep(Number(milliseconds));
    return Response.json({ slept: Number(milliseconds) });
  },
  "GET text": (_, bytes) => new Response(text(Number(bytes))),
  "POST echo": async (request) => new Response(await request.arrayBuffer()),
};

export default {
  fetch(request: Request, _: unknown, context: Context) {
    ++requestsSeen;
    const url = new URL(request.url);
    const [, name, argument = ""] = url.pathname.split("/");
    const handler = HANDLERS[`${request.method} ${name}`];
    if (!handler) return new Response("no such path", { status: 404 });
    return handler(request, argument, url, context);
  },
};
