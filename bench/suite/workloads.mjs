// What is timed inside of a contender. A runtime (see roles.mjs) says what there is:
//
//   db           a Drizzle database; raw contenders have none
//   raw          { get(sql), all(sql), run(sql) }, each answers a function of the parameters; Drizzle's have none
//   transaction  runs a function in one, which is given the database to use there
//   settle       optional: awaited after a write that would share a transaction with the next one else
//   parametersMax  of one statement
import { asc, eq, gte, sql } from "drizzle-orm";
import { median, microsecondsOf } from "./measure.mjs";
import { blobs, posts, users } from "./schema.mjs";

const USERS = 100_000;
const POSTS = 300_000;
const BLOB_BYTES = 1_048_576;
const ROWS = 10_000;
const JOINED = 100;
const BODY = "a body of ordinary length, as people write them when they are asked to";

/** Another one each time, and the same ones in each contender. */
const idAt = (i, count) => ((i * 7919) % count) + 1;

function check(holds, what) {
  if (!holds) throw new Error(`wrong answer: ${what}`);
}

/** One row by its key. */
async function select(runtime, tell) {
  const isIt = (row, i) => (row.email ?? row[2]) === `user${idAt(i, USERS)}@example.com`;
  if (runtime.raw) {
    const get = runtime.raw.get("select id, name, email, created_at from users where id = ?");
    const work = (i) => get(idAt(i, USERS));
    check(isIt(work(76), 76), "a row");
    tell("raw", await microsecondsOf({ ...runtime, async: false }, work));
  }
  if (!runtime.db) return;
  const { db } = runtime;
  const byId = db
    .select()
    .from(users)
    .where(eq(users.id, sql.placeholder("id")))
    .prepare();
  const prepared = (i) => byId.get({ id: idAt(i, USERS) });
  check(isIt(await prepared(76), 76), "a row of a prepared query");
  tell("prepared", await microsecondsOf(runtime, prepared));
  const built = (i) =>
    db
      .select()
      .from(users)
      .where(eq(users.id, idAt(i, USERS)))
      .get();
  check(isIt(await built(77), 77), "a row of a query that is built anew");
  tell("built anew", await microsecondsOf(runtime, built));
}

/** Many rows. */
async function rows(runtime, tell) {
  const few = { batch: 1, timesMax: 60, warm: 150 };
  if (runtime.raw) {
    const join = runtime.raw.all(
      "select p.id, p.title, u.name, u.email from posts p inner join users u on u.id = p.author_id where p.id >= ? order by p.id limit 100",
    );
    check(join(3).length === JOINED, "a join");
    tell(
      "join of 100, raw",
      await microsecondsOf({ ...runtime, async: false }, (i) => join(idAt(i, POSTS - 10_000))),
    );
    const many = runtime.raw.all(
      "select id, name, email, created_at from users where id >= ? limit 10000",
    );
    check(many(1).length === ROWS, "10,000 rows");
    const work = (i) => many(idAt(i, USERS - 20_000));
    tell("10,000 rows, raw", await microsecondsOf({ ...runtime, async: false }, work, few));
  }
  if (!runtime.db) return;
  const { db } = runtime;
  const join = (i) =>
    db
      .select({ id: posts.id, title: posts.title, name: users.name, email: users.email })
      .from(posts)
      .innerJoin(users, eq(users.id, posts.authorId))
      .where(gte(posts.id, idAt(i, POSTS - 10_000)))
      .orderBy(asc(posts.id))
      .limit(JOINED)
      .all();
  const joined = await join(3);
  check(joined.length === JOINED && joined[0].email.endsWith("@example.com"), "a join");
  tell("join of 100, Drizzle", await microsecondsOf(runtime, join));
  const many = (i) =>
    db
      .select()
      .from(users)
      .where(gte(users.id, idAt(i, USERS - 20_000)))
      .limit(ROWS)
      .all();
  const all = await many(0);
  check(all.length === ROWS && all[ROWS - 1].email === "user10000@example.com", "10,000 rows");
  tell("10,000 rows, Drizzle", await microsecondsOf(runtime, many, few));
}

/** On a copy of the database. */
async function inserts(runtime, tell) {
  const settle = runtime.settle ?? (() => {});
  const once = { timesMax: 10_000, warm: 100 };
  const count = async () =>
    runtime.raw
      ? Object.values(runtime.raw.get("select count(*) from posts")())[0]
      : (
          await runtime.db
            .select({ n: sql`count(*)` })
            .from(posts)
            .get()
        ).n;
  let before = await count();
  const checkAdded = async (added, what) => {
    const now = await count();
    check(added === undefined ? now > before : now === before + added, what);
    before = now;
  };
  const perRow = async (rounds, size, work) => {
    const figures = [];
    for (let round = 0; round < rounds; ++round) {
      const begin = runtime.now();
      await work();
      await settle();
      figures.push(((runtime.now() - begin) * 1000) / size);
    }
    await checkAdded(rounds * size, `${size} inserts`);
    return median(figures);
  };
  if (runtime.raw) {
    const insert = runtime.raw.run("insert into posts (author_id, title, body) values (?, ?, ?)");
    const work = (i) => insert(idAt(i, USERS), `title ${i}`, BODY);
    const clock = { ...runtime, async: runtime.settle !== undefined };
    const settled = runtime.settle
      ? (i) => {
          work(i);
          return settle();
        }
      : work;
    tell("one by one, raw", await microsecondsOf(clock, settled, once));
    await checkAdded(undefined, "inserts");
    const together = () =>
      runtime.transaction(() => {
        for (let i = 0; i < ROWS; ++i) work(i);
      });
    tell("in one transaction, raw", await perRow(3, ROWS, together));
  }
  if (!runtime.db) return;
  const values = (i) => ({ authorId: idAt(i, USERS), title: `title ${i}`, body: BODY });
  const insert = (i) => runtime.db.insert(posts).values(values(i)).run();
  const one = runtime.settle
    ? async (i) => {
        insert(i);
        await settle();
      }
    : insert;
  const clock = { ...runtime, async: runtime.async || runtime.settle !== undefined };
  tell("one by one, Drizzle", await microsecondsOf(clock, one, once));
  await checkAdded(undefined, "inserts");

  const named = (name) => sql.placeholder(name);
  const prepare = (db) =>
    db
      .insert(posts)
      .values({ authorId: named("a"), title: named("t"), body: named("b") })
      .prepare();
  const parametersAt = (i) => ({ a: idAt(i, USERS), t: `title ${i}`, b: BODY });
  const together = () =>
    runtime.async
      ? runtime.transaction(async (db) => {
          const prepared = prepare(db);
          for (let i = 0; i < ROWS; ++i) await prepared.run(parametersAt(i));
        })
      : runtime.transaction((db) => {
          const prepared = prepare(db);
          for (let i = 0; i < ROWS; ++i) prepared.run(parametersAt(i));
        });
  tell("in one transaction, Drizzle", await perRow(3, ROWS, together));

  // As few statements as the parameters that one may have allow.
  const SIZE = 1000;
  const perStatement = Math.min(SIZE, Math.floor((runtime.parametersMax ?? 30_000) / 3));
  const batch = () =>
    Array.from({ length: Math.ceil(SIZE / perStatement) }, (_, at) =>
      Array.from({ length: Math.min(perStatement, SIZE - at * perStatement) }, (_, i) => values(i)),
    );
  const batched = () => {
    const lists = batch();
    if (lists.length === 1) return runtime.db.insert(posts).values(lists[0]).run();
    return runtime.transaction((db) => {
      for (const list of lists) db.insert(posts).values(list).run();
    });
  };
  tell("1,000 in a batch, Drizzle", await perRow(5, SIZE, batched));
}

/** Large ones, and those that a double does not hold. */
async function values(runtime, tell) {
  const few = { batch: 1, timesMax: 100, warm: 50 };
  const sizeOf = (data) => data.byteLength ?? data.length;
  if (runtime.raw) {
    const get = runtime.raw.get("select data from blobs where id = ?");
    check(sizeOf(get(1).data ?? get(1)[0]) === BLOB_BYTES, "a blob");
    const work = () => get(1);
    tell("1 MB blob, raw", await microsecondsOf({ ...runtime, async: false }, work, few));
  }
  if (runtime.db) {
    const get = () => runtime.db.select().from(blobs).where(eq(blobs.id, 1)).get();
    check(sizeOf((await get()).data) === BLOB_BYTES, "a blob");
    tell("1 MB blob, Drizzle", await microsecondsOf(runtime, get, few));
  }
  const shown = (value) => (BigInt(value) === 9007199254740993n ? "exact" : `${value}`);
  for (const [name, read] of Object.entries(runtime.integers ?? {})) {
    try {
      tell(`2^53 + 1, ${name}`, shown(await read("select value from ints where id = 1")));
    } catch (error) {
      tell(`2^53 + 1, ${name}`, `an error: ${String(error.message).slice(0, 60)}`);
    }
  }
}

/** JavaScript alone. */
async function javascript(runtime, tell) {
  const { cases } = await import("./javascript.mjs");
  for (const { name, work, answer } of cases()) {
    check(work() === answer, name);
    const figure = await microsecondsOf({ ...runtime, async: false }, work, {
      batch: 1,
      timesMax: 30,
    });
    tell(name, figure);
  }
}

export const WORKLOADS = { select, rows, inserts, values, javascript };
