// Transactions and batches: what is together, what waits in line, and what is refused.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { asc, eq, sql, TransactionRollbackError } from "drizzle-orm";
import {
  DatabaseError,
  ForeignKeyViolation,
  NotNullViolation,
  schemaStatements,
  Table,
  UniqueViolation,
  type Database,
  type Transaction,
} from "schemascript";
import { databaseOver, pendingHint } from "schemascript/internal";
import { TestHost } from "./support.js";

const users = Table("line_users", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text().unique(),
}));
const posts = Table("line_posts", (prop) => ({
  id: prop.integer().identifier(),
  authorId: prop.integer().references(() => users.id),
}));
const schema = { users, posts };

let host: TestHost;
let db: Database<typeof schema>;

beforeEach(() => {
  host = new TestHost();
  for (const statement of schemaStatements([users, posts])) host.sqlite.run(statement);
  db = databaseOver(host.call)(schema);
});

const names = async () =>
  (await db.select().from(users).orderBy(asc(users.id))).map(({ name }) => name);
const add = (name: string, to: Pick<typeof db, "insert"> = db) => to.insert(users).values({ name });
const later = (milliseconds = 2) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

test("transaction: commits what its function did, and answers what it answered", async () => {
  const result = await db.transaction(async (tx) => {
    await tx.insert(users).values({ name: "Ada" });
    return tx.$count(users);
  });
  assert.equal(result, 1);
  assert.deepEqual(host.log, [
    "begin",
    'run insert into "line_users" ("id", "name") values (null, ?) @1',
    'values select count(*) from "line_users" @1',
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

test("writes and transactions through db wait in line for an open transaction", async () => {
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
  assert.match(
    pendingHint() ?? "",
    /^a query through `db` \(insert .*\) waits for the transaction/,
  );
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
    'a query through `db` (insert into "line_users" ("id", "name") values (null, ?)) waits for the transaction that is waiting for it: use `tx` inside of transaction()',
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

test("a query through db that reads does not wait, and is not part of the transaction", async () => {
  const order: string[] = [];
  await db.transaction(async (tx) => {
    await add("Ada", tx);
    await db.select().from(users);
    order.push("read");
    await later();
    order.push("end");
  });
  assert.deepEqual(order, ["read", "end"]);
  assert.deepEqual(
    host.requests.map(({ method, transaction }) => [method, transaction]),
    [
      ["begin", undefined],
      ["run", 1],
      ["all", undefined],
      ["commit", 1],
    ],
  );
});

test("a deferred transaction begins at once; its first write waits, and what follows it", async () => {
  const order: string[] = [];
  const writing = db.transaction(async (tx) => {
    await add("first", tx);
    await later();
    order.push("first ends");
  });
  const deferred = db.transaction(
    async (tx) => {
      order.push("deferred begins");
      await tx.$count(users);
      const write = add("deferred", tx).then(() => order.push("deferred writes"));
      // Not awaited before: it still sees the row.
      const [found] = await tx.select().from(users).where(eq(users.name, "deferred"));
      order.push(`deferred sees ${found?.name}`);
      await write;
    },
    { behavior: "deferred" },
  );
  await later(0);
  assert.match(
    pendingHint() ?? "",
    /^a query through `tx` \(insert .*\) waits for the transaction/,
  );
  await Promise.all([writing, deferred]);
  assert.deepEqual(order, [
    "deferred begins",
    "first ends",
    "deferred writes",
    "deferred sees deferred",
  ]);
  assert.deepEqual(await names(), ["first", "deferred"]);
});

test("a deferred transaction does not end before the write that nobody awaited", async () => {
  const writing = db.transaction(async (tx) => {
    await add("first", tx);
    await later();
  });
  const deferred = db.transaction(
    async (tx) => {
      void add("deferred", tx).execute();
    },
    { behavior: "deferred" },
  );
  await Promise.all([writing, deferred]);
  assert.deepEqual(await names(), ["first", "deferred"]);
  assert.match(host.log.at(-2) ?? "", /^commit/);
});

test("many transactions at once: each in its turn, and few requests", async () => {
  const many = Array.from({ length: 50 }, (_, index) =>
    db.transaction(async (tx) => {
      await add(`${index}`, tx);
      await later(0);
    }),
  );
  const outside = add("outside").execute();
  await Promise.all([...many, outside]);
  assert.deepEqual(await names(), [
    ...Array.from({ length: 50 }, (_, each) => `${each}`),
    "outside",
  ]);
  // Each begins, is told to wait twice at most, writes and commits.
  assert.ok(host.requests.length < 50 * 6, `${host.requests.length} requests`);
});

test("what waited and then fails says why, and the line goes on", async () => {
  const first = db.transaction(async (tx) => {
    await add("Ada", tx);
    await later();
  });
  const taken = add("Ada").execute();
  const last = add("Bob").execute();
  await assert.rejects(taken, UniqueViolation);
  await Promise.all([first, last]);
  assert.deepEqual(await names(), ["Ada", "Bob"]);
});

test("what waited is done as well after a transaction that was rolled back, or could not be", async () => {
  const failing = db.transaction(async (tx) => {
    await add("Ada", tx);
    await later();
    tx.rollback();
  });
  const waiting = add("Ada").execute();
  await assert.rejects(failing, TransactionRollbackError);
  await waiting;
  host.intercept = ({ method }) => {
    if (method !== "rollback") return undefined;
    host.intercept = undefined;
    host.call('{"method":"rollback","transaction":' + host.requests.at(-1)?.transaction + "}");
    throw new Error("the transaction was rolled back");
  };
  const broken = db.transaction(async (tx) => {
    await later();
    tx.rollback();
  });
  const after = add("Bob").execute();
  await assert.rejects(broken, TransactionRollbackError);
  await after;
  assert.deepEqual(await names(), ["Ada", "Bob"]);
});

test("a transaction that was begun by hand is not waited for", async () => {
  const { transaction } = JSON.parse(host.call('{"method":"begin"}')) as { transaction: number };
  await assert.rejects(add("Ada").execute(), (error) => {
    assert.ok(error instanceof DatabaseError);
    assert.equal(error.code, "conflict");
    assert.equal(error.waitsFor, transaction);
    return true;
  });
});

test("a savepoint that waits for its transaction, which waits for it, is told apart", async () => {
  let release: (() => void) | undefined;
  const stuck = db.transaction((tx) =>
    tx.transaction(async () => {
      await Promise.race([
        add("Ada", tx).execute(),
        new Promise<void>((resolve) => (release = resolve)),
      ]);
    }),
  );
  await later();
  assert.equal(
    pendingHint(),
    'a query through `tx` (insert into "line_users" ("id", "name") values (null, ?)) waits for the savepoint that is waiting for it: use the inner `tx` inside of tx.transaction()',
  );
  release?.();
  await stuck;
  assert.equal(pendingHint(), undefined);
  const nested = db.transaction(async () => {
    await Promise.race([
      db.transaction(async (tx) => add("Bob", tx)),
      new Promise<void>((resolve) => (release = resolve)),
    ]);
  });
  await later();
  assert.match(pendingHint() ?? "", /^`db.transaction\(\)` waits for the transaction/);
  release?.();
  await nested;
  await later();
  assert.deepEqual(await names(), ["Ada", "Bob"]);
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
    db.values(sql`select 7, 8`),
    db.query.users.findMany(),
    db.query.users.findFirst({ where: eq(users.id, 9) }),
    db.select().from(users).where(eq(users.id, 9)),
  ]);
  assert.deepEqual(results, [
    { rows: [], changes: 1, lastInsertRowid: 1 },
    [{ id: 2, name: "Bob" }],
    [{ name: "Ada" }, { name: "Bob" }],
    { id: 1, name: "Ada" },
    [7, 8],
    [[7, 8]],
    { rows: [[1]], changes: 0, lastInsertRowid: 0 },
    [[7, 8]],
    [
      { id: 1, name: "Ada" },
      { id: 2, name: "Bob" },
    ],
    undefined,
    [],
  ]);
  assert.deepEqual(
    host.requests.map(({ method }) => method),
    ["batch"],
  );
  const failing = db.batch([
    db.insert(users).values({ name: "Eve" }),
    db.insert(users).values({ name: "Ada" }),
  ]);
  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof UniqueViolation);
    assert.equal(error.step, 2);
    return true;
  });
  assert.deepEqual(await names(), ["Ada", "Bob"]);
});

test("batch: inside of a transaction it is a part of it", async () => {
  await assert.rejects(
    db.transaction(async (tx) => {
      const [, count] = await tx.batch([add("Ada", tx), tx.select().from(users)]);
      assert.equal(count.length, 1);
      await assert.rejects(tx.batch([add("Bob", tx), add("Ada", tx)]), { step: 2 });
      assert.equal(await tx.$count(users), 1);
      tx.rollback();
    }),
    TransactionRollbackError,
  );
  assert.deepEqual(await names(), []);
});

test("batch: waits for an open transaction as a whole", async () => {
  const first = db.transaction(async (tx) => {
    await add("first", tx);
    await later();
  });
  const batch = db.batch([add("second"), db.select().from(users)]);
  const [, seen] = await batch;
  await first;
  assert.deepEqual(
    seen.map(({ name }) => name),
    ["first", "second"],
  );
});

test("batch: what is refused before it is sent changes nothing", async () => {
  assert.deepEqual(await db.batch([] as never), []);
  await assert.rejects(db.batch([{}] as never), { code: "invalid-request" });
  await assert.rejects(db.batch([db.insert(users).values({ id: 2 ** 60, name: "Ada" })]), {
    code: "invalid-request",
    message: /^line_users.id: a number beyond/,
  });
  await assert.rejects(
    db.batch([
      add("Ada"),
      db
        .select()
        .from(users)
        .where(eq(users.id, sql.placeholder("id"))),
    ]),
    { code: "invalid-request", message: 'No value for placeholder "id" was provided' },
  );
  assert.deepEqual(host.requests, []);
});

test("a transaction that its function keeps to itself has a type", async () => {
  const addTwo = async (tx: Transaction<typeof schema>) => {
    await add("Ada", tx);
    await tx.transaction(async (inner: Transaction<typeof schema>) => add("Bob", inner));
    return tx.query.users.findMany();
  };
  assert.equal((await db.transaction(addTwo)).length, 2);
});

test("transaction: a foreign key that is checked at its end fails the commit", async () => {
  host.sqlite.run(
    "CREATE TABLE late (id INTEGER REFERENCES line_users DEFERRABLE INITIALLY DEFERRED)",
  );
  const failing = db.transaction(async (tx) => {
    await tx.run("insert into late values (7)");
  });
  await assert.rejects(failing, ForeignKeyViolation);
  assert.deepEqual(host.log.slice(-2), ["commit @1", "rollback @1"]);
  await add("Ada");
  await assert.rejects(
    db
      .insert(users)
      .values({ name: null as never })
      .execute(),
    NotNullViolation,
  );
});
