// The Drizzle driver over a host: queries, transactions, the line that others wait in, and what
// errors say.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { asc, eq, relations, sql, TransactionRollbackError } from "drizzle-orm";
import {
  args,
  database,
  DatabaseError,
  schemaStatements,
  Table,
  type Database,
} from "schemascript";
import { databaseOver, pendingHint, setArguments } from "schemascript/internal";
import { TestHost } from "./support.js";

const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text().unique(),
}));
const posts = Table("posts", (prop) => ({
  id: prop.integer().identifier(),
  authorId: prop.integer().references(() => users.id),
}));
const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }));
const postsRelations = relations(posts, ({ one }) => ({
  author: one(users, { fields: [posts.authorId], references: [users.id] }),
}));
const schema = { users, posts, usersRelations, postsRelations };

let host: TestHost;
let db: Database<typeof schema>;

beforeEach(() => {
  host = new TestHost();
  for (const statement of schemaStatements([users, posts])) host.sqlite.run(statement);
  db = databaseOver(host.call)(schema);
});

const names = async () =>
  (await db.select().from(users).orderBy(asc(users.id))).map(({ name }) => name);

test("queries: select, insert, update, delete, returning, count, relations", async () => {
  assert.deepEqual(await db.insert(users).values({ name: "Ada" }), {
    rows: [],
    changes: 1,
    lastInsertRowid: 1,
  });
  assert.deepEqual(await db.insert(users).values({ name: "Bob" }).returning({ id: users.id }), [
    { id: 2 },
  ]);
  assert.deepEqual(await db.update(users).set({ name: "Eve" }).where(eq(users.id, 2)), {
    rows: [],
    changes: 1,
    lastInsertRowid: 0,
  });
  await db.insert(posts).values({ authorId: 1 });
  assert.equal(await db.$count(users), 2);
  assert.deepEqual(
    await db.query.users.findMany({ with: { posts: true }, orderBy: [asc(users.id)] }),
    [
      { id: 1, name: "Ada", posts: [{ id: 1, authorId: 1 }] },
      { id: 2, name: "Eve", posts: [] },
    ],
  );
  assert.deepEqual(await db.query.posts.findFirst({ with: { author: true } }), {
    id: 1,
    authorId: 1,
    author: { id: 1, name: "Ada" },
  });
  assert.deepEqual(
    await db.select().from(users).leftJoin(posts, eq(posts.authorId, users.id)).orderBy(users.id),
    [
      { users: { id: 1, name: "Ada" }, posts: { id: 1, authorId: 1 } },
      { users: { id: 2, name: "Eve" }, posts: null },
    ],
  );
  assert.equal((await db.delete(posts)).changes, 1);
});

test("get: a row, and undefined where there is none", async () => {
  await db.insert(users).values({ name: "Ada" });
  assert.deepEqual(await db.select().from(users).get(), { id: 1, name: "Ada" });
  assert.equal(await db.select().from(users).where(eq(users.id, 9)).get(), undefined);
  assert.equal(await db.query.users.findFirst({ where: eq(users.id, 9) }), undefined);
  assert.equal(await db.get(sql`select 1 where 0`), undefined);
});

test("raw SQL: run, all, get, values", async () => {
  assert.deepEqual(await db.run(sql`insert into users (name) values (${"Ada"}) returning id`), {
    rows: [[1]],
    changes: 1,
    lastInsertRowid: 1,
  });
  assert.deepEqual(await db.all("select 1, 2"), [[1, 2]]);
  assert.deepEqual(await db.get("select 1, 2"), [1, 2]);
  assert.deepEqual(await db.values("select 1, 2 union select 3, 4"), [
    [1, 2],
    [3, 4],
  ]);
});

test("prepared queries take their placeholders", async () => {
  const insert = db
    .insert(users)
    .values({ name: sql.placeholder("name") })
    .prepare();
  await insert.run({ name: "Ada" });
  await insert.run({ name: "Bob" });
  const find = db
    .select({ name: users.name })
    .from(users)
    .where(eq(users.id, sql.placeholder("id")))
    .prepare();
  assert.deepEqual(await find.get({ id: 2 }), { name: "Bob" });
  assert.deepEqual(await find.all({ id: 1 }), [{ name: "Ada" }]);
  assert.deepEqual(await find.values({ id: 1 }), [["Ada"]]);
  await assert.rejects(find.get({}), {
    code: "invalid-request",
    message: 'No value for placeholder "id" was provided',
  });
});

test("errors are the host's own, without the parameters", async () => {
  await db.insert(users).values({ name: "secret" });
  await assert.rejects(db.insert(users).values({ name: "secret" }).execute(), (error) => {
    assert.ok(error instanceof DatabaseError);
    assert.equal(error.violation, "unique");
    assert.deepEqual(error.columns, ["name"]);
    assert.doesNotMatch(`${error.message} ${error.stack} ${JSON.stringify(error)}`, /secret/);
    return true;
  });
  await assert.rejects(db.run("select nothing"), { code: "invalid-request" });
  await assert.rejects(db.$count(sql`nothing`), { code: "invalid-request" });
});

test("the logger sees each query before it is executed", async () => {
  const logged: unknown[] = [];
  const logging = databaseOver(host.call)({
    logger: { logQuery: (text, params) => logged.push([text, params]) },
  });
  await logging.insert(users).values({ name: "Ada" });
  await logging.batch([
    logging.run(sql`select ${1}`),
    logging.select({ id: users.id }).from(users),
  ]);
  assert.deepEqual(logged, [
    ['insert into "users" ("id", "name") values (null, ?)', ["Ada"]],
    ["select ?", [1]],
    ['select "id" from "users"', []],
  ]);
});

test("transaction: commits what its function did, and answers what it answered", async () => {
  const result = await db.transaction(async (tx) => {
    await tx.insert(users).values({ name: "Ada" });
    return tx.$count(users);
  });
  assert.equal(result, 1);
  assert.deepEqual(host.log, [
    "begin",
    'run insert into "users" ("id", "name") values (null, ?) @1',
    'values select count(*) from "users" @1',
    "commit @1",
  ]);
  assert.equal(host.requests[0]?.behavior, undefined);
  await db.transaction(async () => {}, { behavior: "deferred" });
  assert.equal(host.requests[4]?.behavior, "deferred");
});

test("transaction: what its function throws rolls it back and reaches the caller", async () => {
  const failure = new Error("mine");
  const failing = db.transaction(async (tx) => {
    await tx.insert(users).values({ name: "Ada" });
    throw failure;
  });
  await assert.rejects(failing, (error) => error === failure);
  await assert.rejects(
    db.transaction(async (tx) => tx.rollback()),
    TransactionRollbackError,
  );
  await assert.rejects(
    db.transaction(() => {
      throw failure;
    }),
    (error) => error === failure,
  );
  assert.deepEqual(await names(), []);
});

test("transaction: nested ones are savepoints", async () => {
  await db.transaction(async (tx) => {
    await tx.insert(users).values({ name: "outer" });
    await assert.rejects(
      tx.transaction(async (inner) => {
        await inner.insert(users).values({ name: "inner" });
        inner.rollback();
      }),
      TransactionRollbackError,
    );
    await tx.transaction(async (inner) => {
      await inner.insert(users).values({ name: "kept" });
    });
  });
  assert.deepEqual(await names(), ["outer", "kept"]);
});

test("transaction: a commit that fails rolls back, and its own error is told", async () => {
  host.intercept = ({ method }) => {
    if (method === "commit") throw new Error("FOREIGN KEY constraint failed");
  };
  const failing = db.transaction(async (tx) => {
    await tx.insert(users).values({ name: "Ada" });
  });
  await assert.rejects(failing, { violation: "foreign-key" });
  assert.deepEqual(host.log.slice(-2), ["commit @1", "rollback @1"]);
  assert.deepEqual(await names(), []);
});

test("transaction: a rollback that fails does not hide why it was tried", async () => {
  const failure = new Error("mine");
  host.intercept = ({ method }) => {
    if (method === "rollback") throw new Error("no transaction is open");
  };
  await assert.rejects(
    db.transaction(async () => {
      throw failure;
    }),
    (error) => error === failure,
  );
});

test("transaction: one that cannot begin leaves the connection free", async () => {
  host.intercept = ({ method }) =>
    method === "begin" ? { error: { code: "unavailable", message: "busy" } } : undefined;
  await assert.rejects(
    db.transaction(async () => {}),
    { code: "unavailable" },
  );
  host.intercept = undefined;
  assert.deepEqual(await names(), []);
});

test("queries through db wait in line for an open transaction", async () => {
  const order: string[] = [];
  const first = db.transaction(async (tx) => {
    await tx.insert(users).values({ name: "first" });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await tx.insert(users).values({ name: "first too" });
    order.push("first");
  });
  const outside = db
    .insert(users)
    .values({ name: "outside" })
    .then(() => order.push("outside"));
  const second = db.transaction(async (tx) => {
    await tx.insert(users).values({ name: "second" });
    order.push("second");
  });
  const last = db
    .insert(users)
    .values({ name: "last" })
    .then(() => order.push("last"));
  assert.match(pendingHint() ?? "", /^a query through `db` waits for the transaction/);
  await Promise.all([first, outside, second, last]);
  assert.deepEqual(order, ["first", "outside", "second", "last"]);
  assert.deepEqual(await names(), ["first", "first too", "outside", "second", "last"]);
  assert.equal(pendingHint(), undefined);
});

test("a transaction that waits for db is told apart", async () => {
  let release: (() => void) | undefined;
  const stuck = db.transaction(async () => {
    const never = db.insert(users).values({ name: "Ada" }).execute();
    await Promise.race([never, new Promise<void>((resolve) => (release = resolve))]);
  });
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(
    pendingHint(),
    "a query through `db` waits for the transaction that is waiting for it: use `tx` inside of transaction()",
  );
  release?.();
  await stuck;
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(await names(), ["Ada"]);
});

test("an outer transaction's query waits for the inner one, and its end for one that nobody awaited", async () => {
  let inner: Promise<void> | undefined;
  await db.transaction(async (tx) => {
    inner = tx.transaction(async (nested) => {
      await nested.insert(users).values({ name: "nested" });
      await new Promise((resolve) => setTimeout(resolve, 2));
    });
    await tx.insert(users).values({ name: "outer" });
    inner = tx.transaction(async (nested) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      await nested.insert(users).values({ name: "not awaited" });
    });
  });
  await inner;
  assert.deepEqual(await names(), ["nested", "outer", "not awaited"]);
});

test("a query of a transaction that has ended is refused", async () => {
  let kept: Pick<typeof db, "select"> | undefined;
  await db.transaction(async (tx) => {
    kept = tx;
  });
  await assert.rejects(async () => kept?.select().from(users), {
    code: "conflict",
    message: "this transaction has ended: await every query inside of transaction()",
  });
});

test("batch: all or nothing, results in order", async () => {
  const results = await db.batch([
    db.insert(users).values({ name: "Ada" }),
    db.insert(users).values({ name: "Bob" }).returning(),
    db.select({ name: users.name }).from(users),
    db.query.users.findFirst(),
    db.get(sql`select 7, 8`),
    db.all(sql`select 7, 8`),
    db.run(sql`select 1`),
  ]);
  assert.deepEqual(results, [
    { rows: [], changes: 1, lastInsertRowid: 1 },
    [{ id: 2, name: "Bob" }],
    [{ name: "Ada" }, { name: "Bob" }],
    { id: 1, name: "Ada" },
    [7, 8],
    [[7, 8]],
    { rows: [[1]], changes: 0, lastInsertRowid: 0 },
  ]);
  const failing = db.batch([
    db.insert(users).values({ name: "Eve" }),
    db.insert(users).values({ name: "Ada" }),
  ]);
  await assert.rejects(failing, { violation: "unique" });
  assert.deepEqual(await names(), ["Ada", "Bob"]);
});

test("database(): the host's function, which the program cannot replace afterwards", async () => {
  await assert.rejects(database().run("select 1"), {
    code: "unavailable",
    message: "there is no database here: run the program with `schemascript run`",
  });
  Reflect.set(globalThis, "__host_sqlite_call", host.call);
  assert.deepEqual(await database().all("select 1"), [[1]]);
  Reflect.set(globalThis, "__host_sqlite_call", () => assert.fail("replaced"));
  assert.deepEqual(await database({ users }).query.users.findMany(), []);
  Reflect.deleteProperty(globalThis, "__host_sqlite_call");
});

test("args: what the host sets is what the program sees", () => {
  assert.deepEqual(args, []);
  setArguments(["a", "b"]);
  assert.deepEqual(args, ["a", "b"]);
  assert.ok(Object.isFrozen(args));
});
