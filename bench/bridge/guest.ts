// What is measured inside of the sandbox: one part in one process. Prints its figures as JSON.
//     schemascript run guest.ts --db FILE -- PART ROUNDS
import { and, asc, eq, gt, lte, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import { args, database } from "schemascript";
import { databaseOver } from "schemascript/internal";
import { idOf, inTurns } from "./measure.mjs";
import { blobs, notes, users } from "./tables.js";

const host: any = Reflect.get(globalThis, "__host_sqlite");
const call: (request: string) => string = Reflect.get(globalThis, "__host_sqlite_call");

// The three ways to the database: the driver's, its JSON form, and Drizzle's own driver over the same JSON.
const native = database();
const json = databaseOver(call)();
const proxy = drizzle(async (text, params, method) => {
  const answer = JSON.parse(call(JSON.stringify({ method, sql: text, params })));
  if (answer.error) throw new Error(answer.error.message);
  return { rows: answer.rows };
});

const USERS = 100_000;
const POINT = "select id, name, email, created_at from users where id = ?";
const equals = (actual: unknown, expected: unknown) => {
  if (JSON.stringify(actual) !== JSON.stringify(expected))
    throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
};

let next = 0;
const nextId = () => idOf(next++, USERS);

type Db = typeof native;
const byId = (db: Db) =>
  db
    .select()
    .from(users)
    .where(eq(users.id, sql.placeholder("id")))
    .prepare();
const tenThousand = (db: Db) =>
  db
    .select()
    .from(users)
    .where(gt(users.id, sql.placeholder("after")))
    .orderBy(asc(users.id))
    .limit(10_000)
    .prepare();
const ofBlob = (db: Db) => db.select().from(blobs).where(eq(blobs.id, 1)).prepare();
const insertion = (db: Db) =>
  db
    .insert(notes)
    .values({ text: sql.placeholder("text"), userId: sql.placeholder("userId") } as never)
    .prepare();

const PARTS: Record<string, (rounds: number) => Promise<unknown>> = {
  /** One host call; a request that the host answers without SQLite; and the JavaScript around both. */
  crossing(rounds) {
    const statement = host.statement("select id from users order by id");
    const { cursor } = host.iterate(statement, [], 0);
    host.close(cursor);
    const { now } = performance;
    const time = now.bind(performance);
    const nothing = Math.abs;
    return inTurns(
      {
        loop: (count) => {
          for (let i = 0; i < count; ++i) nothing(cursor);
        },
        hostCall: (count) => {
          for (let i = 0; i < count; ++i) time();
        },
        request: (count) => {
          for (let i = 0; i < count; ++i) host.close(cursor);
        },
      },
      { rounds, repeat: 20_000 },
    );
  },

  /** The host's own functions, without Drizzle and promises. */
  rawGet(rounds) {
    const statement = host.statement(POINT);
    equals(host.get(statement, [7], 0), [
      7,
      "name 0000007",
      "user-0000007@example.com",
      1_700_000_007_000,
    ]);
    return inTurns(
      {
        rawGet: (count) => {
          for (let i = 0; i < count; ++i) host.get(statement, [nextId()], 0);
        },
      },
      { rounds, repeat: 10_000 },
    );
  },

  async point(rounds) {
    const queries = { native: byId(native), json: byId(json), proxy: byId(proxy as never) };
    const expected = {
      id: 7,
      name: "name 0000007",
      email: "user-0000007@example.com",
      createdAt: new Date(1_700_000_007_000),
    };
    for (const query of Object.values(queries)) {
      equals(await query.get({ id: 7 }), expected);
      equals(await query.all({ id: 7 }), [expected]);
    }
    const gets = (query: ReturnType<typeof byId>) => async (count: number) => {
      for (let i = 0; i < count; ++i) await query.get({ id: nextId() });
    };
    const alls = (query: ReturnType<typeof byId>) => async (count: number) => {
      for (let i = 0; i < count; ++i) await query.all({ id: nextId() });
    };
    return inTurns(
      {
        nativeGet: gets(queries.native),
        jsonGet: gets(queries.json),
        proxyGet: gets(queries.proxy),
        nativeAll: alls(queries.native),
        jsonAll: alls(queries.json),
        proxyAll: alls(queries.proxy),
      },
      { rounds, repeat: 2_000 },
    );
  },

  async rows(rounds) {
    const statement = host.statement(
      "select id, name, email, created_at from users where id > ? order by id limit 10000",
    );
    const queries = {
      native: tenThousand(native),
      json: tenThousand(json),
      proxy: tenThousand(proxy as never),
    };
    const all = (query: ReturnType<typeof tenThousand>) => async () => {
      const rows = await query.all({ after: 10_000 });
      if (rows.length !== 10_000 || rows[9_999]?.createdAt.getTime() !== 1_700_020_000_000)
        throw new Error("these are other rows");
    };
    return inTurns(
      {
        arrays: () => host.all(statement, [10_000], 0),
        native: all(queries.native),
        json: all(queries.json),
        proxy: all(queries.proxy),
      },
      { rounds, repeat: 1 },
    );
  },

  async blob(rounds) {
    const get = (query: ReturnType<typeof ofBlob>) => async () => {
      const row = await query.get();
      if (row?.content.length !== 1 << 20) throw new Error("this is another blob");
    };
    return inTurns({ native: get(ofBlob(native)), json: get(ofBlob(json)) }, { rounds, repeat: 1 });
  },

  /** 100,000 rows: through a cursor, and in ten answers. */
  pieces(rounds) {
    return inTurns(
      { iterate: iterateAll, pieces: readInPieces, allAtOnce: readAll },
      { rounds, repeat: 1 },
    );
  },

  // One of them alone, for its memory.
  iterate: iterateAll,
  inPieces: readInPieces,
  atOnce: readAll,

  async writes(rounds) {
    const clear = () => host.run(host.statement("delete from notes"), [], 0);
    const values = { text: "as people write them", userId: 7 };
    clear();
    const inTransaction = async () => {
      await native.transaction(async (tx) => {
        const insert = insertion(tx as never);
        for (let i = 0; i < 10_000; ++i) await insert.run(values);
      });
    };
    const rawInTransaction = () => {
      const insert = host.statement("insert into notes (text, user_id) values (?, ?)");
      const tx = host.begin("immediate", 0);
      for (let i = 0; i < 10_000; ++i) host.run(insert, ["as people write them", 7], tx);
      host.commit(tx);
    };
    const hundred = Array.from({ length: 100 }, () => values);
    const batch = () =>
      native.batch(hundred.map((each) => native.insert(notes).values(each)) as never);
    const singles = async () => {
      for (const each of hundred) await native.insert(notes).values(each);
    };
    const prepared = async () => {
      const insert = insertion(native);
      for (const each of hundred) await insert.run(each);
    };
    const figures = await inTurns(
      { inTransaction, rawInTransaction, batch, singles, prepared },
      { rounds, repeat: 1 },
    );
    clear();
    return figures;
  },
};

async function iterateAll() {
  let sum = 0;
  for await (const user of native.iterate(native.select().from(users))) sum += user.id;
  checkSum(sum);
}

async function readInPieces() {
  let sum = 0;
  const piece = native
    .select()
    .from(users)
    .where(and(gt(users.id, sql.placeholder("after")), lte(users.id, sql.placeholder("last"))))
    .prepare();
  for (let after = 0; after < USERS; after += 10_000) {
    for (const user of await piece.all({ after, last: after + 10_000 })) sum += user.id;
  }
  checkSum(sum);
}

async function readAll() {
  let sum = 0;
  for (const user of await native.select().from(users)) sum += user.id;
  checkSum(sum);
}

function checkSum(sum: number) {
  if (sum !== (USERS * (USERS + 1)) / 2) throw new Error(`the sum of all ids is ${sum}`);
}

const [part = "", rounds = "1"] = args;
const run = PARTS[part];
if (!run) throw new Error(`there is no part '${part}'`);
console.log(JSON.stringify((await run(Number(rounds))) ?? {}));
