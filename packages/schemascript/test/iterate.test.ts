// Rows in pieces: what a loop asks of the host, and how it ends.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { asc, eq, gt, sql } from "drizzle-orm";
import { QueryBuilder, unionAll } from "drizzle-orm/sqlite-core";
import { schemaStatements, Table, View, type Database } from "schemascript";
import { databaseOver } from "schemascript/internal";
import { TestHost } from "./support.js";

const items = Table("pieces", (prop) => ({
  id: prop.integer().identifier(),
  at: prop.datetime(),
}));
const recent = View("recent_pieces", (query) => query.select().from(items).where(gt(items.id, 3)));
const schema = { items };

let host: TestHost;
let db: Database<typeof schema>;

beforeEach(async () => {
  host = new TestHost();
  for (const statement of schemaStatements([items, recent])) host.sqlite.run(statement);
  db = databaseOver(host.call)(schema);
  await db.insert(items).values(Array.from({ length: 5 }, (_, at) => ({ at: new Date(at) })));
  host.requests.length = 0;
});

async function all<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const list: Row[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

const methods = () => host.requests.map(({ method }) => method);
const ids = (rows: readonly { id: number }[]) => rows.map(({ id }) => id);
const select = () => db.select().from(items).orderBy(asc(items.id));

test("a loop reads piece by piece, and each row as a select would answer it", async () => {
  const rows = db.iterate(select());
  assert.deepEqual(await all(rows), await select());
  assert.deepEqual(methods(), ["iterate", "fetch", "fetch", "all"]);
  assert.equal(host.openCursors, 0);
  // Each loop runs the query anew.
  await db.delete(items).where(gt(items.id, 1));
  assert.deepEqual(await all(rows), [{ id: 1, at: new Date(0) }]);
});

test("nothing is asked before the first row is, and no piece before it is needed", async () => {
  const iterator = db.iterate(select())[Symbol.asyncIterator]();
  assert.deepEqual(methods(), []);
  assert.equal((await iterator.next()).value?.id, 1);
  await iterator.next();
  assert.deepEqual(methods(), ["iterate"]);
  await iterator.next();
  assert.deepEqual(methods(), ["iterate", "fetch"]);
  assert.deepEqual(ids(await all({ [Symbol.asyncIterator]: () => iterator })), [4, 5]);
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
});

test("an empty result, and one that ends with a piece", async () => {
  assert.deepEqual(await all(db.iterate(select().where(eq(items.id, 9)))), []);
  assert.deepEqual(ids(await all(db.iterate(select().limit(2)))), [1, 2]);
  assert.deepEqual(methods(), ["iterate", "iterate"]);
});

test("a loop that ends early closes the cursor", async () => {
  for await (const row of db.iterate(select())) if (row.id === 1) break;
  assert.deepEqual(methods(), ["iterate", "close"]);
  const failure = new Error("mine");
  await assert.rejects(
    async () => {
      for await (const row of db.iterate(select())) if (row.id === 3) throw failure;
    },
    (error) => error === failure,
  );
  assert.equal(host.openCursors, 0);
  const iterator = db.iterate(select())[Symbol.asyncIterator]();
  await iterator.next();
  await assert.rejects(
    async () => iterator.throw?.(failure),
    (error) => error === failure,
  );
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  assert.equal(host.openCursors, 0);
});

test("a loop that never began closes nothing", async () => {
  const iterator = db.iterate(select())[Symbol.asyncIterator]();
  assert.deepEqual(await iterator.return?.(), { done: true, value: undefined });
  assert.deepEqual(methods(), []);
});

test("several loops at once, and calls that nobody awaited in between", async () => {
  const one = db.iterate(select())[Symbol.asyncIterator]();
  const other = db.iterate(select())[Symbol.asyncIterator]();
  const found = await Promise.all([one.next(), other.next(), one.next(), one.next(), other.next()]);
  assert.deepEqual(
    found.map(({ value }) => value?.id),
    [1, 1, 2, 3, 2],
  );
  await one.return?.();
  await other.return?.();
  assert.equal(host.openCursors, 0);
});

test("prepared queries, set operations, views, subqueries, joins and SQL text", async () => {
  const after = db
    .select({ id: items.id })
    .from(items)
    .where(gt(items.id, sql.placeholder("id")))
    .prepare();
  assert.deepEqual(ids(await all(db.iterate(after, { id: 2 }))), [3, 4, 5]);
  assert.deepEqual(ids(await all(db.iterate(after, { id: 4 }))), [5]);
  await assert.rejects(all(db.iterate(after)), {
    code: "invalid-request",
    message: 'No value for placeholder "id" was provided',
  });
  const both = unionAll(
    db.select().from(items).where(gt(items.id, 3)),
    db.select().from(items).where(eq(items.id, 5)),
  );
  assert.equal((await all(db.iterate(both))).length, 3);
  assert.deepEqual(await all(db.iterate(db.select().from(recent))), await db.select().from(recent));
  const inner = db
    .select({ twice: sql<number>`2 * ${items.id}`.as("twice") })
    .from(items)
    .as("inner");
  assert.deepEqual(await all(db.iterate(db.select().from(inner))), await db.select().from(inner));
  const joined = db.select().from(items).leftJoin(recent, eq(recent.id, items.id));
  assert.deepEqual(await all(db.iterate(joined)), await joined);
  assert.deepEqual(await all(db.iterate<[number]>(sql`select ${1} union select 2`)), [[1], [2]]);
  assert.deepEqual(await all(db.iterate("select 1, 'a'")), [[1, "a"]]);
});

test("names that no shape can hold are mapped row by row", async () => {
  const odd = db.select({ toString: items.id, at: items.at }).from(items).limit(3);
  assert.deepEqual(await all(db.iterate(odd)), await odd);
  assert.deepEqual(await odd.get(), { toString: 1, at: new Date(0) });
});

test("relational queries and what is no query are refused", async () => {
  const relational = db.query.items.findMany() as never;
  await assert.rejects(all(db.iterate(relational)), {
    code: "invalid-request",
    message:
      "iterate() reads row by row, and findMany() maps all rows together: iterate over a select()",
  });
  assert.throws(() => db.iterate({} as never), { code: "invalid-request" });
  assert.throws(() => db.iterate(new QueryBuilder().select().from(items) as never), Error);
  await assert.rejects(all(db.iterate(sql`delete from pieces`)), { code: "invalid-request" });
  assert.deepEqual(methods(), ["iterate"]);
});

test("a row that cannot be read ends the loop, and closes the cursor", async () => {
  host.sqlite.run("CREATE TABLE odd (id INTEGER, at)");
  host.sqlite.run("INSERT INTO odd VALUES (1, 1), (2, 2), (3, 3), (4, 'x'), (5, 5), (6, 6)");
  const odd = sql<number>`id`.mapWith(items.id);
  const at = sql<Date>`at`.mapWith(items.at);
  const rows = db.iterate(db.select({ id: odd, at }).from(sql`odd`));
  const seen: number[] = [];
  await assert.rejects(
    async () => {
      for await (const row of rows) seen.push(row.id);
    },
    { message: "pieces.at holds something that is not a number" },
  );
  assert.deepEqual(seen, [1, 2]);
  assert.equal(host.openCursors, 0);
});

test("a piece that fails ends the loop with the host's error", async () => {
  host.intercept = ({ method }) =>
    method === "fetch" ? { error: { code: "unavailable", message: "gone" } } : undefined;
  const iterator = db.iterate(select())[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.next();
  await assert.rejects(iterator.next(), { code: "unavailable", message: "gone" });
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  assert.deepEqual(methods(), ["iterate", "fetch", "close"]);
});

test("in a transaction a loop sees what it wrote, and ends with it", async () => {
  let left: AsyncIterator<{ id: number }> | undefined;
  await db.transaction(async (tx) => {
    await tx.insert(items).values({ at: new Date(6) });
    assert.equal((await all(tx.iterate(select()))).length, 6);
    left = tx.iterate(tx.select({ id: items.id }).from(items))[Symbol.asyncIterator]();
    await left.next();
    await left.next();
  });
  assert.equal(host.openCursors, 0);
  await assert.rejects(async () => left?.next(), {
    code: "conflict",
    message: "this transaction has ended: await every query inside of transaction()",
  });
  assert.deepEqual(await left?.next(), { done: true, value: undefined });
  assert.equal(methods().filter((method) => method === "close").length, 0);
});

test("a loop over the outer transaction waits for the savepoint in it, calls in their order", async () => {
  await db.transaction(async (tx) => {
    const savepoint = tx.transaction(async (inner) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      await inner.delete(items).where(eq(items.id, 1));
    });
    const iterator = tx.iterate(select())[Symbol.asyncIterator]();
    const found = await Promise.all([
      iterator.next(),
      iterator.next(),
      iterator.return?.(),
      iterator.next(),
    ]);
    assert.deepEqual(
      found.map((each) => each?.value?.id),
      [2, 3, undefined, undefined],
    );
    await savepoint;
  });
});

test("the logger sees each loop", async () => {
  const logged: string[] = [];
  const logging = databaseOver(host.call)({ logger: { logQuery: (text) => logged.push(text) } });
  const rows = logging.iterate(logging.select({ id: items.id }).from(items));
  await all(rows);
  await all(rows);
  assert.deepEqual(logged, ['select "id" from "pieces"', 'select "id" from "pieces"']);
});
