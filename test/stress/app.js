// What test/stress calls and stops: endless and long work of every kind, and what must be right afterwards.
import { sql } from "drizzle-orm";
import { database } from "schemascript";

const db = database({});
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
const all = (sql, params = [], transaction = undefined) =>
  ask({ method: "all", sql, params, transaction });
const endless = "with recursive n(i) as (select 1 union all select i + 1 from n)";
const must = (answer) => {
  if (answer.error) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  return answer;
};

export const setUp = () => {
  must(all("create table if not exists accounts (id integer primary key, balance integer)"));
  must(all("create table if not exists transfers (amount integer, filler)"));
  must(all("create table if not exists counter (id integer primary key, n integer)"));
  must(all("insert or ignore into counter values (1, 0)"));
  for (let id = 1; id <= 10; ++id) {
    must(all("insert or ignore into accounts values (?, 100)", [id]));
  }
};

// Guest code that never ends, or takes long.
export const loop = () => {
  for (;;);
};
export const catching = () => {
  for (;;) {
    try {
      catching();
    } catch {
      // Again.
    }
  }
};
export const regexp = () => /^(a+)+$/.test("a".repeat(50) + "b");
export const builtIn = () => (new Array(2e7) + "").length;
export const sort = () => Array.from({ length: 3e5 }, (_, i) => (i * 7919) % 100003).sort().length;
export const allocate = () => {
  const kept = [];
  for (;;) kept.push(new Uint8Array(1e5).fill(1), { kept: [kept.length] });
};
export const objects = () => {
  for (let kept = []; ; kept.length > 1e5 && (kept = [])) kept.push({ a: kept.length, b: [1] });
};
export const recursion = () => recursion() + 1;
export const text = () => JSON.stringify(JSON.parse(`[${"[1,2,3],".repeat(1e5)}0]`)).length;
export const bigint = () => {
  for (let number = 3n; ; ) number = number * number + 1n;
};
export const promises = async () => {
  for (;;) await Promise.all(Array.from({ length: 100 }, async () => null));
};
export const timers = () => {
  const again = () => setTimeout(again, 0);
  again();
  return new Promise(() => {});
};
export const sleep = () => new Promise((resolve) => setTimeout(resolve, 60_000));
export const never = () => new Promise(() => {});
export const log = () => {
  for (let line = 0; line < 2000; ++line) console.log("line", line);
};
export const random = () => {
  for (;;) crypto.getRandomValues(new Uint8Array(60_000));
};

// The host's work for it.
export const longRead = () => all(`${endless} select count(*) from n`);
export const longWrite = () => all(`${endless} insert into transfers select i, 'long' from n`);
export const longWriteInTransaction = () => {
  const { transaction } = must(ask({ method: "begin" }));
  for (;;) all("update accounts set balance = balance + 1", [], transaction);
};
export const idleInTransaction = () => {
  must(ask({ method: "begin" }));
  for (;;);
};
export const nested = () => {
  let { transaction } = must(ask({ method: "begin" }));
  for (let depth = 0; depth < 20; ++depth) {
    all("update counter set n = n + 1", [], transaction);
    transaction = ask({ method: "begin", transaction }).transaction ?? transaction;
  }
  for (;;) all("insert into transfers values (1, 'nested')", [], transaction);
};
export const bigResult = () =>
  all(`${endless} select i, hex(zeroblob(100)) from n limit 20000`).rows.length;
export const bigValue = () => all("select hex(randomblob(5000000))").rows.length;
export const search = () => all("select instr(hex(zeroblob(20000000)), 'x')").rows[0];
export const batches = () => {
  const steps = Array.from({ length: 50 }, () => ({
    method: "run",
    sql: "insert into transfers values (?, 'batch')",
    params: [1],
  }));
  for (;;) ask({ method: "batch", steps: [...steps, { method: "run", sql: "select nothing" }] });
};
export const cursors = async () => {
  for (;;) {
    for await (const row of db.iterate(sql.raw(`${endless} select i from n limit 5000`))) {
      if (row.i > 2500) break;
    }
  }
};
export const cursorsLeft = () => {
  for (;;) ask({ method: "iterate", sql: `${endless} select i from n` });
};
export const schema = () => {
  for (let count = 0; ; ++count) {
    const { transaction } = must(ask({ method: "begin" }));
    all(`create table made_${count} (x)`, [], transaction);
    all(`create index made_index_${count} on made_${count} (x)`, [], transaction);
    ask({ method: "rollback", transaction });
  }
};

// Money that is moved, and a count that is kept: true after every transaction that is whole.
const transfer = (round) => {
  const begun = must(ask({ method: "begin" }));
  const { transaction } = begun;
  const move = "update accounts set balance = balance + ? where id = ?";
  must(all(move, [-round, (round % 10) + 1], transaction));
  must(all("insert into transfers values (?, ?)", [round, "x".repeat(100)], transaction));
  must(all("update counter set n = n + 1", [], transaction));
  must(all(move, [round, ((round + 3) % 10) + 1], transaction));
  const { rows } = must(all("select n from counter", [], transaction));
  if (rows[0][0] > 1000) {
    must(all("delete from transfers", [], transaction));
    must(all("update counter set n = 0", [], transaction));
  }
  must(ask({ method: round % 5 === 4 ? "rollback" : "commit", transaction }));
};
export const transferOnce = () => transfer(Math.floor(Math.random() * 4));
export const transfers = () => {
  for (let round = 0; ; ++round) transfer(round);
};
export const transfersOfDriver = async () => {
  for (let round = 0; ; ++round) {
    await db.transaction(async (tx) => {
      await tx.run(sql`update accounts set balance = balance - ${round} where id = 1`);
      await tx.run(sql`update accounts set balance = balance + ${round} where id = 2`);
      await tx.run(sql`insert into transfers values (${round}, 'driver')`);
      await tx.run(sql`update counter set n = n + 1`);
    });
  }
};

// Handlers that are parked again and again. Money is moved between the parks; only `/open` has a
// transaction while it waits.
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const ticking = (count, ms) => {
  let tick = 0;
  return new ReadableStream({
    async pull(controller) {
      if (tick === count) return controller.close();
      await pause(ms);
      transfer(tick % 4);
      controller.enqueue(new TextEncoder().encode(`tick ${tick++};`));
    },
  });
};
const handlers = {
  echo: (request) => new Response(request.body),
  async count(request) {
    let bytes = 0;
    for await (const piece of request.body) {
      bytes += piece.length;
      transfer(1);
    }
    return new Response(`got ${bytes}`);
  },
  ticks: (request, ms, count) => new Response(ticking(count, ms)),
  async wait(request, ms) {
    await pause(ms);
    return new Response("done");
  },
  async sums(request, ms) {
    await pause(ms);
    return Response.json(sums());
  },
  later(request, ms, count, context) {
    context.waitUntil(pause(ms).then(() => transfer(2)));
    return new Response("done");
  },
  async loop(request, ms) {
    await pause(ms);
    for (;;);
  },
  async fill(request, ms) {
    await pause(ms);
    allocate();
  },
  async fail(request, ms) {
    await pause(ms);
    throw new Error("on purpose");
  },
  async failMidway(request, ms) {
    const body = new ReadableStream({
      async pull(controller) {
        await pause(ms);
        if (Math.random() < 0.5) controller.error(new Error("on purpose"));
        else controller.enqueue(new Uint8Array(1000));
      },
    });
    return new Response(body);
  },
  async open(request, ms) {
    const { transaction } = must(ask({ method: "begin" }));
    must(all("update accounts set balance = balance + 1", [], transaction));
    await pause(ms);
    return new Response("done");
  },
  never: () => new Promise(() => {}),
  async unread() {
    await pause(1);
    return new Response("done");
  },
};
export default {
  fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    const [ms, count] = ["ms", "count"].map((name) => Number(searchParams.get(name)));
    return handlers[pathname.slice(1)](request, ms, count, context);
  },
};

// What must be so after all of that. The count is 1 in a guest that starts anew.
let calls = 0;
export const fine = () => ++calls;
export const sums = () =>
  must(
    all(`select (select sum(balance) from accounts), (select count(*) from accounts),
      (select n from counter) - (select count(*) from transfers),
      (select count(*) from sqlite_schema where name like 'made%')`),
  ).rows[0];
