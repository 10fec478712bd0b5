// The types of rows in pieces, of a batch, and of what a transaction is.
import { eq, sql } from "drizzle-orm";
import { unionAll } from "drizzle-orm/sqlite-core";
import {
  database,
  DatabaseError,
  Table,
  UniqueViolation,
  View,
  type Database,
  type Transaction,
} from "schemascript";

type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
declare function same<One, Other>(equal: Equal<One, Other>): void;

const users = Table("users", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
const posts = Table("posts", (prop) => ({
  id: prop.integer().identifier(),
  authorId: prop.integer().references(() => users.id),
  at: prop.datetime().optional(),
}));
const names = View("names", (query) => query.select({ name: users.name }).from(users));
const db = database({ users, posts });

type User = { id: number; name: string };
type Post = { id: number; authorId: number; at: Date | null };
type RowOf<Rows> = Rows extends AsyncIterable<infer Row> ? Row : never;

const whole = db.iterate(db.select().from(users).where(eq(users.id, 1)).limit(1));
same<RowOf<typeof whole>, User>(true);
const partial = db.iterate(db.select({ when: posts.at }).from(posts));
same<RowOf<typeof partial>, { when: Date | null }>(true);
const joined = db.iterate(db.select().from(users).leftJoin(posts, eq(posts.authorId, users.id)));
same<RowOf<typeof joined>, { users: User; posts: Post | null }>(true);
const ofView = db.iterate(db.select().from(names));
same<RowOf<typeof ofView>, { name: string }>(true);
const united = db.iterate(unionAll(db.select().from(users), db.select().from(users)));
same<RowOf<typeof united>, User>(true);
const dynamic = db.iterate(db.select().from(users).$dynamic().where(eq(users.id, 1)));
same<RowOf<typeof dynamic>, User>(true);
const prepared = db
  .select()
  .from(users)
  .where(eq(users.id, sql.placeholder("id")))
  .prepare();
const filled = db.iterate(prepared, { id: 1 });
same<RowOf<typeof filled>, User>(true);
const raw = db.iterate(sql`select 1`);
same<RowOf<typeof raw>, unknown[]>(true);
const typed = db.iterate<[id: number, name: string]>("select id, name from users");
same<RowOf<typeof typed>, [id: number, name: string]>(true);

const seven = db.transaction(async (tx) => {
  same<typeof tx, Transaction<{ users: typeof users; posts: typeof posts }>>(true);
  const inside = tx.iterate(tx.select().from(users));
  same<RowOf<typeof inside>, User>(true);
  const results = await tx.batch([tx.select().from(users), tx.delete(users).returning()]);
  same<(typeof results)[0], User[]>(true);
  same<(typeof results)[1][number]["name"], string>(true);
  await tx.transaction(async (inner) => {
    same<typeof inner, typeof tx>(true);
  });
  return 7;
});
same<typeof seven, Promise<number>>(true);

// A database and a transaction without tables of their own.
const ofAny = async (any: Database, tx: Transaction) => {
  await any.select().from(users);
  await tx.select().from(users);
};
void ofAny;

// @ts-expect-error: findMany() maps all rows together
db.iterate(db.query.users.findMany());
// @ts-expect-error: iterate reads
db.iterate(db.insert(users).values({ name: "Ada" }));
// @ts-expect-error: iterate reads
db.iterate(db.update(users).set({ name: "Ada" }).returning());
// @ts-expect-error: a query, not its rows
db.iterate(await db.select().from(users));
// @ts-expect-error: values are of prepared queries
db.iterate(db.select().from(users), { id: 1 });
// @ts-expect-error: not a table
db.iterate(users);

function told(error: unknown): void {
  if (error instanceof UniqueViolation)
    same<typeof error.violation, "unique" | "primary-key">(true);
  if (error instanceof DatabaseError)
    same<typeof error.columns, readonly string[] | undefined>(true);
}
void told;
