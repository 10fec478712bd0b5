// What a contender's program can be asked for, by the words behind its name:
//
//   start            one row through its first query, as JSON, and the end
//   bench WORKLOAD   lines `@@ {"name", "figure"}`: microseconds, or a text
//   sandboxes N      the same, of one new sandbox after the other, each to its first row
//   serve PORT       GET /user/ID, as JSON
//   memory           a row, then READY; for each line `N` on standard input N more sandboxes with a row each, and READY
//   tenant           one of those, where it is a thread with a program of its own
//
// A runtime is what workloads.mjs says, made by open(); with, as far as there are any, serve(port, answer), newSandbox(), which
// answers { row, end() }, lines() of standard input, and collect() of garbage.

export const USER = {
  id: 4242,
  name: "User Number 4242",
  email: "user4242@example.com",
  createdAt: 1700004242,
};

export const line = (name, figure) => `@@ ${JSON.stringify({ name, figure })}`;

/** The first query of a program: with Drizzle's, so that what it takes to have it is a part. */
export async function firstRow(runtime, id = USER.id) {
  if (runtime.raw) {
    return runtime.raw.get(
      "select id, name, email, created_at as createdAt from users where id = ?",
    )(id);
  }
  const [{ eq }, { users }] = await Promise.all([import("drizzle-orm"), import("./schema.mjs")]);
  return runtime.db.select().from(users).where(eq(users.id, id)).get();
}

function checkRow(row) {
  if (JSON.stringify(row) !== JSON.stringify(USER)) {
    throw new Error(`wrong answer: ${JSON.stringify(row)}`);
  }
}

const ROLES = {
  async start({ open, print }) {
    print(JSON.stringify(await firstRow(await open())));
  },

  async bench({ open, print }, workload) {
    const { WORKLOADS } = await import("./workloads.mjs");
    await WORKLOADS[workload](await open(), (name, figure) => print(line(name, figure)));
  },

  async sandboxes({ newSandbox, print }, count) {
    const { median } = await import("./measure.mjs");
    const figures = [];
    for (let i = 0; i < Number(count); ++i) {
      const begin = performance.now();
      const sandbox = await newSandbox();
      figures.push((performance.now() - begin) * 1000);
      checkRow(sandbox.row);
      await sandbox.end();
    }
    print(line("to the first row", median(figures)));
  },

  async serve({ open, serve }, port) {
    const runtime = await open();
    const [{ eq }, { users }] = await Promise.all([import("drizzle-orm"), import("./schema.mjs")]);
    const { db, raw } = runtime;
    const get = raw?.get("select id, name, email, created_at as createdAt from users where id = ?");
    const answer = get ?? ((id) => db.select().from(users).where(eq(users.id, id)).get());
    serve(Number(port), (path) => answer(Number(path.slice("/user/".length))));
  },

  async memory({ newSandbox, print, lines, collect }) {
    const kept = [await newSandbox()];
    print("READY");
    for await (const count of lines()) {
      for (let i = 0; i < Number(count); ++i) kept.push(await newSandbox());
      for (const { row } of kept) checkRow(row);
      collect?.();
      print("READY");
    }
  },

  async tenant({ open, post }) {
    post(await firstRow(await open()));
  },
};

export async function play([role, argument], runtime) {
  if (!ROLES[role]) throw new Error(`there is no role ${role}: ${Object.keys(ROLES).join(", ")}`);
  await ROLES[role](runtime, argument);
}
