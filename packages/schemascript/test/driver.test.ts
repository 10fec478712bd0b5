// The Drizzle driver over a host: queries, what they answer, and what errors say.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { asc, eq, relations, sql } from "drizzle-orm";
import {
  args,
  database,
  DatabaseError,
  schemaStatements,
  Table,
  type Database,
} from "schemascript";
import { databaseOver, setArguments } from "schemascript/internal";
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
