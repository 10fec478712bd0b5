// The app of the benchmark `guests`: each export takes how often it does its work, and answers something that shows that it did.
import { asc, eq, sql } from "drizzle-orm";
import { database, Table } from "schemascript";

const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text(),
  email: prop.text(),
  score: prop.real(),
}));
const notes = Table("notes", (prop) => ({
  id: prop.integer().identifier(),
  text: prop.text(),
  userId: prop.integer("user_id"),
}));

const db = database({ users, notes });
const byId = db
  .select()
  .from(users)
  .where(eq(users.id, sql.placeholder("id")))
  .prepare();
const all = db.select().from(users).orderBy(asc(users.id)).prepare();
export const setUp = async () => {
  await db.run(sql`create table users (id integer primary key, name text, email text, score real)`);
  await db.run(sql`create table notes (id integer primary key, text text, user_id integer)`);
  await db.run(sql`with recursive number(i) as (select 1 union all select i + 1 from number where i < 10000)
    insert into users select i, 'User ' || i, i || '@example.org', i / 2.0 from number`);
};

export const prepared = async (count: number) => {
  let sum = 0;
  for (let id = 1; id <= count; ++id) sum += (await byId.get({ id }))!.id;
  return sum;
};

export const nothing = () => null;

// The driver's own way to the host, without Drizzle: see packages/schemascript/src/driver.
const host: any = Reflect.get(globalThis, "__host_sqlite");

/** What the host answers without SQLite: the end of a cursor that has ended. */
export const syscalls = (count: number) => {
  const { cursor } = host.iterate(host.statement("select id from users order by id"), [], 0);
  for (let i = 0; i < count; ++i) host.close(cursor);
  return count;
};

export const rawGets = (count: number) => {
  const statement = host.statement("select id, name, email, score from users where id = ?");
  let sum = 0;
  for (let id = 1; id <= count; ++id) sum += host.get(statement, [id], 0)[0];
  return sum;
};

export const built = async (count: number) => {
  let sum = 0;
  for (let id = 1; id <= count; ++id)
    sum += (await db.select().from(users).where(eq(users.id, id)).get())!.id;
  return sum;
};

export const rows = async (count: number) => {
  let sum = 0;
  for (let i = 0; i < count; ++i) sum += (await all.all()).length;
  return sum;
};

export const inserts = async (count: number) => {
  let sum = 0;
  const undo = new Error("undo");
  await db
    .transaction(async (tx) => {
      const insertion = tx
        .insert(notes)
        .values({ text: sql.placeholder("text"), userId: sql.placeholder("userId") } as never)
        .prepare();
      for (let i = 0; i < count; ++i) await insertion.run({ text: `Note ${i}`, userId: i });
      sum = (await tx.$count(notes))!;
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return sum;
};

export const urls = (count: number) => {
  let sum = 0;
  for (let i = 0; i < count; ++i)
    sum += new URL(`/users/${i}?page=2&sort=name#top`, "https://example.org/a/b").pathname.length;
  return sum;
};

export const json = (count: number) => {
  const value = {
    id: 1,
    name: "Ada",
    tags: ["a", "b", "c"],
    nested: { score: 1.5, none: null, yes: true },
  };
  let sum = 0;
  for (let i = 0; i < count; ++i) sum += JSON.parse(JSON.stringify({ ...value, id: i })).id;
  return sum;
};

export const regexps = (count: number) => {
  let sum = 0;
  for (let i = 0; i < count; ++i)
    sum += `${i}@example.org, someone@example.com`.replace(
      /([a-z0-9]+)@([a-z.]+)/g,
      "$2 $1",
    ).length;
  return sum;
};

export const builtIns = (count: number) => {
  let sum = 0;
  const values = Array.from({ length: 32 }, (_, index) => (index * 7) % 32);
  for (let i = 0; i < count; ++i) {
    const map = new Map(values.map((value) => [value, `v${value}`]));
    sum += values
      .filter((value) => map.has(value))
      .sort((a, b) => a - b)
      .reduce((left, right) => left + right + Math.min(left, right), 0);
    sum += [...map.values()].join().split(",").length;
  }
  return sum;
};

const fibonacci = (n: number): number => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
export const fib = (count: number) => fibonacci(count);
